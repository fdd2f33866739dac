/* Norms of rows, distances and cosines of pairs of rows, and their gradients.
 *
 * The p-norm of v is (sum |v_i|^p)^(1/p); the largest |v_i| for p = infinity, the number of v_i that are not 0 for
 * p = 0. It is computed in double, and for the 2-norm first in registers. Sums that over- or underflow are computed
 * from the numbers times a power of two.
 */
#define NORM_OF FNN_CAT(norm_of, BITS)
typedef struct {
    double value, scale; /* the norm is value / scale */
} NORM_OF;

/* The row whose norm is taken: a, or a - b + shift if b is not NULL. */
#define APART FNN_CAT(apart, BITS)
typedef struct {
    const REAL *a, *b;
    REAL shift;
    ptrdiff_t cols;
} APART;

INLINE REAL LANE(apart_at)(const APART *row, ptrdiff_t i)
{
    return row->b ? row->a[i] - row->b[i] + row->shift : row->a[i];
}

INLINE VEC LANE(apart_n)(const APART *row, ptrdiff_t i, ptrdiff_t left)
{
    const VEC a = LANE(load_n)(row->a + i, left, K(0));
    if (!row->b)
        return a;
    return LANE(fill_n)(a - LANE(load_n)(row->b + i, left, K(0)) + K(row->shift), left, K(0));
}

/* |u|^p, 0 for u = 0 */
static inline double LANE(raised)(double u, double p)
{
    return u == 0 ? 0 : p == 1 ? u : p == 2 ? u * u : pow(u, p);
}

/* Any p-norm, slowly; `least` is a number that it will be compared with. */
static NORM_OF LANE(scaled_norm)(const APART *row, double p, double least)
{
    double largest = 0, sum = 0;
    ptrdiff_t others = 0, nans = 0;
    for (ptrdiff_t i = 0; i < row->cols; i++) {
        const double v = fabs((double)LANE(apart_at)(row, i));
        largest = v > largest ? v : largest;
        nans += v != v, others += v != 0;
    }
    if (nans)
        return (NORM_OF){NAN, 1};
    if (p == 0)
        return (NORM_OF){(double)others, 1};
    const double scale = LANE(unit_scale)(largest > least ? largest : least);
    if (largest == 0 || largest == INFINITY || scale == 0)
        return (NORM_OF){largest, 1};
    if (p == INFINITY)
        return (NORM_OF){largest * scale, scale};
    for (ptrdiff_t i = 0; i < row->cols; i++)
        sum += LANE(raised)(fabs((double)LANE(apart_at)(row, i)) * scale, p);
    return (NORM_OF){p == 1 ? sum : p == 2 ? sqrt(sum) : pow(sum, 1 / p), scale};
}

static NORM_OF LANE(norm)(const APART *row, double p, double least)
{
    double squares = 0;
    if (p == 2) {
        FNN_SUM_UP(squares, row->cols, SEGMENT, const VEC v = LANE(apart_n)(row, at, left);
                   sum.part[j] = v_fma(v, v, sum.part[j]);)
        if (!LANE(out_of_range)(squares, 1, least * least))
            return (NORM_OF){sqrt(squares), 1};
    }
    return LANE(scaled_norm)(row, p, least);
}

/* The number of entries whose magnitude is the infinity-norm, which share its derivative */
static double LANE(ties)(const APART *row, NORM_OF norm, double p)
{
    double ties = 0;
    for (ptrdiff_t i = 0; p == INFINITY && i < row->cols; i++)
        ties += fabs((double)LANE(apart_at)(row, i)) * norm.scale == norm.value;
    return ties;
}

/* The derivative of the norm with respect to an entry, u times the norm */
static inline double LANE(norm_slope)(double u, double p, double ties)
{
    const double sign = u > 0 ? 1 : u < 0 ? -1 : u;
    if (p == 0)
        return 0 * u;
    if (p == INFINITY)
        return u == 1 || u == -1 ? sign / ties : 0 * u;
    return p == 2 ? u : p == 1 || u == 0 ? sign : sign * pow(fabs(u), p - 1);
}

/* Whether a divisor is a number of registers that is neither large nor small. */
INLINE int LANE(is_plain)(double divisor)
{
    return divisor > (BITS == 32 ? 0x1p-100 : 0x1p-1000) && divisor < (BITS == 32 ? 0x1p120 : 0x1p1000);
}

/* y = x / max(norm, eps);  params: p, eps;  y may be x */
KERNEL_FN void FN(normalize)(const void *x_, void *y_, ptrdiff_t rows, ptrdiff_t cols, const double *params)
{
    const REAL *x = x_;
    REAL *y = y_;
    const double p = params[0], eps = params[1];
    for (ptrdiff_t r = 0; r < rows; r++, x += cols, y += cols) {
        const APART row = {x, NULL, 0, cols};
        const NORM_OF norm = LANE(norm)(&row, p, eps);
        const double least = eps * norm.scale, held = norm.value < least ? least : norm.value;
        if (LANE(is_plain)(held / norm.scale)) {
            const VEC divisor = K(held / norm.scale);
            FNN_EACH_REGISTER(cols, LANE(store_n)(y + i, LANE(load_n)(x + i, left, K(0)) / divisor, left);)
        } else {
            for (ptrdiff_t i = 0; i < cols; i++)
                y[i] = (REAL)(x[i] * norm.scale / held);
        }
    }
}

/* (g - sum(g y) dnorm/dx) / norm, or g / eps where the norm is below eps;  out may be g or x */
KERNEL_FN void FN(normalize_backward)(const void *g_, const void *x_, void *out_, ptrdiff_t rows, ptrdiff_t cols,
                                      const double *params)
{
    const REAL *g = g_, *x = x_;
    REAL *out = out_;
    const double p = params[0], eps = params[1];
    for (ptrdiff_t r = 0; r < rows; r++, g += cols, x += cols, out += cols) {
        const APART row = {x, NULL, 0, cols};
        const NORM_OF norm = LANE(norm)(&row, p, eps);
        const double least = eps * norm.scale, held = norm.value < least ? least : norm.value;
        const int clamped = norm.value < least;
        double along = 0;
        if (p == 2 && LANE(is_plain)(held / norm.scale)) {
            const VEC divisor = K(held / norm.scale);
            if (!clamped)
                FNN_SUM_UP(along, cols, SEGMENT, const VEC u = LANE(load_n)(x + at, left, K(0)) / divisor;
                           sum.part[j] = v_fma(LANE(load_n)(g + at, left, K(0)), u, sum.part[j]);)
            const VEC pull = K(along);
            FNN_EACH_REGISTER(cols, const VEC u = LANE(load_n)(x + i, left, K(0)) / divisor;
                              const VEC gi = LANE(load_n)(g + i, left, K(0));
                              LANE(store_n)(out + i, v_fnma(pull, u, gi) / divisor, left);)
            continue;
        }
        const double ties = LANE(ties)(&row, norm, p);
        for (ptrdiff_t i = 0; !clamped && i < cols; i++)
            along += g[i] * (x[i] * norm.scale / held);
        for (ptrdiff_t i = 0; i < cols; i++) {
            const double slope = clamped ? 0 : LANE(norm_slope)(x[i] * norm.scale / held, p, ties);
            out[i] = (REAL)((g[i] - along * slope) / held * norm.scale);
        }
    }
}

/* y[r] = norm of row r of a - b + eps;  params: p, eps */
KERNEL_FN void FN(pairwise_distance)(const void *a_, const void *b_, void *y_, ptrdiff_t rows, ptrdiff_t cols,
                                     const double *params)
{
    const REAL *a = a_, *b = b_;
    REAL *y = y_;
    for (ptrdiff_t r = 0; r < rows; r++) {
        const APART row = {a + r * cols, b + r * cols, (REAL)params[1], cols};
        const NORM_OF norm = LANE(norm)(&row, params[0], 0);
        y[r] = (REAL)(norm.value / norm.scale);
    }
}

/* The gradient with respect to a, from g[r];  that with respect to b is its negative. 0 where a - b + eps is 0. */
KERNEL_FN void FN(pairwise_distance_backward)(const void *g_, const void *a_, const void *b_, void *out_,
                                              ptrdiff_t rows, ptrdiff_t cols, const double *params)
{
    const REAL *g = g_, *a = a_, *b = b_;
    REAL *out = out_;
    const double p = params[0];
    for (ptrdiff_t r = 0; r < rows; r++, out += cols) {
        const APART row = {a + r * cols, b + r * cols, (REAL)params[1], cols};
        const NORM_OF norm = LANE(norm)(&row, p, 0);
        const double factor = g[r], ties = LANE(ties)(&row, norm, p);
        for (ptrdiff_t i = 0; i < cols; i++) {
            const double v = LANE(apart_at)(&row, i) * norm.scale;
            out[i] = (REAL)(factor * (norm.value == 0 ? 0 : LANE(norm_slope)(v / norm.value, p, ties)));
        }
    }
}

/* y[r] = cosine of the rows r of a and b;  params: eps */
KERNEL_FN void FN(cosine_similarity)(const void *a_, const void *b_, void *y_, ptrdiff_t rows, ptrdiff_t cols,
                                     const double *params)
{
    const REAL *a = a_, *b = b_;
    REAL *y = y_;
    for (ptrdiff_t r = 0; r < rows; r++) {
        const ROW row = {.x = a + r * cols, .target = b + r * cols, .cols = cols, .params = params};
        y[r] = (REAL)LANE(cosine)(&row);
    }
}

/* The gradient with respect to a, from g[r];  with a and b exchanged it is that with respect to b. */
KERNEL_FN void FN(cosine_similarity_backward)(const void *g_, const void *a_, const void *b_, void *out_,
                                              ptrdiff_t rows, ptrdiff_t cols, const double *params)
{
    const REAL *g = g_, *a = a_, *b = b_;
    REAL *out = out_;
    for (ptrdiff_t r = 0; r < rows; r++) {
        const ROW row = {.x = a + r * cols,
                         .target = b + r * cols,
                         .grad = out + r * cols,
                         .cols = cols,
                         .factor = -g[r],
                         .params = params};
        (void)LANE(cosine)(&row);
    }
}

/* -- bilinear maps: z[r] = x1[r] W is a matrix of outs x cols, y[r] = z[r] x2[r] + bias --------------------------- */

KERNEL_FN void FN(bilinear)(const void *z_, const void *x2_, const void *bias_, void *y_, ptrdiff_t rows,
                            ptrdiff_t outs, ptrdiff_t cols)
{
    const REAL *z = z_, *x2 = x2_, *bias = bias_;
    REAL *y = y_;
    for (ptrdiff_t r = 0; r < rows; r++, x2 += cols)
        for (ptrdiff_t o = 0; o < outs; o++, z += cols)
            *y++ = (REAL)(LANE(row_dot)(z, x2, cols) + (bias ? bias[o] : 0));
}

/* grad_x2[r] = z[r]^T g[r], and z[r] becomes its gradient, g[r] x2[r]^T */
KERNEL_FN void FN(bilinear_backward)(const void *g_, void *z_, const void *x2_, void *grad_x2_, ptrdiff_t rows,
                                     ptrdiff_t outs, ptrdiff_t cols)
{
    const REAL *g = g_, *x2 = x2_;
    REAL *z = z_, *grad_x2 = grad_x2_;
    for (ptrdiff_t r = 0; r < rows; r++, g += outs, z += outs * cols, x2 += cols, grad_x2 += cols)
        FNN_EACH_REGISTER(
            cols, VEC total = K(0); const VEC v = LANE(load_n)(x2 + i, left, K(0));
            for (ptrdiff_t o = 0; o < outs; o++) {
                const VEC upstream = K(g[o]);
                total = v_fma(upstream, LANE(load_n)(z + o * cols + i, left, K(0)), total);
                LANE(store_n)(z + o * cols + i, upstream * v, left);
            } LANE(store_n)(grad_x2 + i, total, left);)
}
