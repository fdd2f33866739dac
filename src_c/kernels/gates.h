/* Gates: operations that compute one feature from several. Rows of x have `cols` features; a is the first half of a
 * row, b the second.
 */

/* y = name(a, b), and grad_a, grad_b = name_backward(g, a, b), the latter through *second */
#define FNN_DEFINE_GATE(name)                                                                                \
    KERNEL_FN void FN(name)(const void *x, void *y_, ptrdiff_t rows, ptrdiff_t cols, const double *params)   \
    {                                                                                                        \
        const ptrdiff_t n = cols / 2;                                                                        \
        const REAL *a = x, *b = a + n;                                                                       \
        REAL *y = y_;                                                                                        \
        for (ptrdiff_t r = 0; r < rows; r++, a += cols, b += cols, y += n)                                   \
            FNN_MAP(LANE(name)(READ(a), READ(b)))                                                            \
    }                                                                                                        \
    KERNEL_FN void FN(name##_backward)(const void *g_, const void *x_, void *out_, ptrdiff_t rows,           \
                                       ptrdiff_t cols, const double *params)                                 \
    {                                                                                                        \
        (void)params;                                                                                        \
        const REAL *g = g_, *x = x_;                                                                         \
        REAL *out = out_;                                                                                    \
        const ptrdiff_t n = cols / 2;                                                                        \
        for (ptrdiff_t r = 0; r < rows; r++, g += n, x += cols, out += cols)                                 \
            for (ptrdiff_t i = 0; i < n; i += LANES) {                                                       \
                const ptrdiff_t left = n - i;                                                                \
                const VEC a = LANE(load_n)(x + i, left, K(0)), b = LANE(load_n)(x + n + i, left, K(0));      \
                VEC second;                                                                                  \
                const VEC first = LANE(name##_backward)(LANE(load_n)(g + i, left, K(0)), a, b, &second);     \
                LANE(store_n)(out + i, first, left);                                                         \
                LANE(store_n)(out + n + i, second, left);                                                    \
            }                                                                                                \
    }

/* a sigmoid(b) */
INLINE VEC LANE(glu)(VEC a, VEC b)
{
    return a * LANE(sigmoid)(b);
}
INLINE VEC LANE(glu_backward)(VEC g, VEC a, VEC b, VEC *second)
{
    VEC complement;
    const VEC s = LANE(sigmoid_both)(b, &complement);
    *second = g * a * (s * complement);
    return g * s;
}
FNN_DEFINE_GATE(glu)

/* silu(a) b */
INLINE VEC LANE(swiglu)(VEC a, VEC b)
{
    return LANE(silu)(a) * b;
}
INLINE VEC LANE(swiglu_backward)(VEC g, VEC a, VEC b, VEC *second)
{
    *second = g * LANE(silu)(a);
    return LANE(silu_backward)(g * b, a);
}
FNN_DEFINE_GATE(swiglu)

/* The index of the largest of n numbers, the first one if several are equal; the first NaN if there is one. */
INLINE ptrdiff_t LANE(place_of_max)(const REAL *x, ptrdiff_t n)
{
    ptrdiff_t best = 0;
    for (ptrdiff_t i = 1; i < n; i++)
        if (x[i] > x[best] || (x[i] != x[i] && x[best] == x[best]))
            best = i;
    return best;
}

/* The largest of each params[0] consecutive features; the gradient goes to that feature. Values are only compared
 * and copied, so that scalar code gives the same bits. */
KERNEL_FN void FN(maxout)(const void *x_, void *y_, ptrdiff_t rows, ptrdiff_t cols, const double *params)
{
    const REAL *x = x_;
    REAL *y = y_;
    const ptrdiff_t pool = (ptrdiff_t)params[0], n = rows * (cols / pool);
    for (ptrdiff_t i = 0; i < n; i++, x += pool)
        y[i] = x[LANE(place_of_max)(x, pool)];
}
KERNEL_FN void FN(maxout_backward)(const void *g_, const void *x_, void *out_, ptrdiff_t rows, ptrdiff_t cols,
                                   const double *params)
{
    const REAL *g = g_, *x = x_;
    REAL *out = out_;
    const ptrdiff_t pool = (ptrdiff_t)params[0], n = rows * (cols / pool);
    for (ptrdiff_t i = 0; i < n; i++, x += pool, out += pool) {
        const ptrdiff_t best = LANE(place_of_max)(x, pool);
        for (ptrdiff_t j = 0; j < pool; j++)
            out[j] = j == best ? g[i] : 0;
    }
}
