/* Macros that make kernels of lane functions: the loop, the tail, and the reduction in a fixed order.
 *
 * A kernel takes void pointers, so that its signature does not depend on the dtype, and begins with the pointers to
 * REAL of the same names.
 *
 * The tail runs the same lane function on a partial register. A scalar version could round differently, and then the
 * value of an element would depend on its position in the array.
 */
#define PARAMS {K(params[0]), K(params[1]), K(params[2])}

/* Registers that are processed at the same time: a lane function is one long chain of operations, too long for
 * out-of-order execution to overlap with the next one. GCC interleaves their instructions when unrolled, clang does
 * not. */
#ifdef __clang__
#define AT_ONCE 1
#define MIXED
#else
#define AT_ONCE 4
#define MIXED __attribute__((optimize("schedule-insns", "sched-pressure")))
#endif

/* y[i] = value for i < n, a register at a time; in `value`, READ(x) is the register of x at i. */
#define READ(x) LANE(load_n)((x) + i, left, K(0))
#define FNN_MAP(value)                                                                                       \
    {                                                                                                        \
        const VEC p[3] = PARAMS;                                                                             \
        (void)p;                                                                                             \
        ptrdiff_t start = 0;                                                                                 \
        for (; start + AT_ONCE * LANES <= n; start += AT_ONCE * LANES) {                                     \
            VEC values[AT_ONCE];                                                                             \
            UNROLL for (ptrdiff_t j = 0; j < AT_ONCE; j++)                                                   \
            {                                                                                                \
                const ptrdiff_t i = start + j * LANES, left = LANES;                                         \
                values[j] = value;                                                                           \
            }                                                                                                \
            UNROLL for (ptrdiff_t j = 0; j < AT_ONCE; j++)                                                   \
                v_store(y + start + j * LANES, values[j]);                                                   \
        }                                                                                                    \
        for (ptrdiff_t i = start; i < n; i += LANES) {                                                       \
            const ptrdiff_t left = n - i;                                                                    \
            LANE(store_n)(y + i, value, left);                                                               \
        }                                                                                                    \
    }

/* y[i] = name(x[i]);  y may be x. The parameters of the lane function follow its name: FNN_DEFINE_MAP1(elu, p[0]). */
#define FNN_DEFINE_MAP1(name, ...)                                                                           \
    KERNEL_FN MIXED void FN(name)(const void *x_, void *y_, ptrdiff_t n, const double *params)               \
    {                                                                                                        \
        const REAL *x = x_;                                                                                  \
        REAL *y = y_;                                                                                        \
        FNN_MAP(LANE(name)(READ(x), ##__VA_ARGS__))                                                          \
    }

/* y[i] = name(g[i], x[i]);  y may be g or x. */
#define FNN_DEFINE_MAP2(name, ...)                                                                           \
    KERNEL_FN MIXED void FN(name)(const void *g_, const void *x_, void *y_, ptrdiff_t n, const double *params) \
    {                                                                                                        \
        const REAL *g = g_, *x = x_;                                                                         \
        REAL *y = y_;                                                                                        \
        FNN_MAP(LANE(name)(READ(g), READ(x), ##__VA_ARGS__))                                                 \
    }

/* The first `left` lanes of v, followed by `fill`; left may be less than 0 or more than LANES, here and below. */
INLINE VEC LANE(fill_n)(VEC v, ptrdiff_t left, VEC fill)
{
    return left >= LANES ? v : v_fill_tail(v, v_tail(left > 0 ? left : 0), fill);
}

/* The numbers p[0 .. left), followed by `fill`. */
INLINE VEC LANE(load_n)(const REAL *p, ptrdiff_t left, VEC fill)
{
    if (left >= LANES)
        return v_load(p);
    if (left <= 0)
        return fill;
    const TAIL tail = v_tail(left);
    return v_fill_tail(v_load_tail(p, tail), tail, fill);
}

INLINE void LANE(store_n)(REAL *p, VEC v, ptrdiff_t left)
{
    if (left >= LANES)
        v_store(p, v);
    else if (left > 0)
        v_store_tail(p, v, v_tail(left));
}

/* A sum has 16 partial sums for every width of registers: element i belongs to partial sum i mod 16, and the 16 are
 * added in one fixed tree, in double. So a sum has the same bits on every machine. */
#define PARTIALS 16
#define SUM FNN_CAT(sum, BITS)
typedef struct {
    VEC part[PARTIALS / (sizeof(VEC) / sizeof(REAL))];
} SUM;

INLINE SUM LANE(sum_zero)(void)
{
    SUM sum;
    for (ptrdiff_t j = 0; j < PARTIALS / LANES; j++)
        sum.part[j] = K(0);
    return sum;
}

/* The halves of a vector; `half` is their type. */
#define FNN_HALVES(half, value, low, high)                                                                   \
    half low, high;                                                                                          \
    memcpy(&low, &(value), sizeof low);                                                                      \
    memcpy(&high, (const char *)&(value) + sizeof low, sizeof high);

/* The sum of 8 numbers, each of which is the sum of partial sums i and i + 8. */
INLINE double LANE(add_up)(const fnn_double8 *total8)
{
    FNN_HALVES(fnn_double4, *total8, low4, high4)
    const fnn_double4 total4 = low4 + high4;
    FNN_HALVES(fnn_double2, total4, low2, high2)
    const fnn_double2 total2 = low2 + high2;
    return total2[0] + total2[1];
}

INLINE double LANE(sum_total)(const SUM *sum)
{
    typedef REAL eight __attribute__((vector_size(8 * sizeof(REAL))));
    FNN_HALVES(eight, *sum, low8, high8)
    const fnn_double8 total8 = __builtin_convertvector(low8, fnn_double8) + __builtin_convertvector(high8, fnn_double8);
    return LANE(add_up)(&total8);
}

/* Run the statements for each register of n elements: i is its first element, j the index of its first partial sum
 * in registers, left the number of elements from i on, a constant except in the last round. */
#define FNN_EACH_REGISTER(n, ...)                                                                            \
    {                                                                                                        \
        ptrdiff_t i = 0;                                                                                     \
        while (i + PARTIALS <= (n))                                                                          \
            for (ptrdiff_t j = 0; j < PARTIALS / LANES; j++, i += LANES) {                                   \
                const ptrdiff_t left = LANES;                                                                \
                __VA_ARGS__                                                                                  \
            }                                                                                                \
        for (ptrdiff_t j = 0; j < PARTIALS / LANES; j++, i += LANES) {                                       \
            const ptrdiff_t left = (n)-i;                                                                    \
            if (left > 0) {                                                                                  \
                __VA_ARGS__                                                                                  \
            }                                                                                                \
        }                                                                                                    \
    }

/* Add to total and second, in double, what the statements add to the partial sums of `sum` and `sum2`, after every
 * segment of `most` elements: a partial sum has at most 64 terms, 16 in losses. `at` is the first element of a
 * register. */
#define SEGMENT 1024
#define LOSS_SEGMENT 256
#define FNN_SUM_UP_TWO(total, second, n, most, ...)                                                          \
    for (ptrdiff_t start = 0; start < (n); start += (most)) {                                                \
        SUM sum = LANE(sum_zero)(), sum2 = LANE(sum_zero)();                                                 \
        const ptrdiff_t length = (n)-start < (most) ? (n)-start : (most);                                    \
        FNN_EACH_REGISTER(length, const ptrdiff_t at = start + i; __VA_ARGS__)                               \
        total += LANE(sum_total)(&sum);                                                                      \
        second += LANE(sum_total)(&sum2);                                                                    \
    }

/* The same for one sum. */
#define FNN_SUM_UP(total, n, most, ...)                                                                      \
    {                                                                                                        \
        double unused = 0;                                                                                   \
        FNN_SUM_UP_TWO(total, unused, n, most, __VA_ARGS__)                                                  \
        (void)unused;                                                                                        \
    }
