/* Dropout, alpha dropout, noise and random slopes. Random words are not stored; the backward pass draws the same words again. Element
 * i of x uses word start + i of the stream; y may be x.
 */
#include "../philox.h"

/* Run the statements with `count` words for the elements of x and y from `done` on. Most rounds have the constant
 * count PHILOX_WORDS, for which the compiler generates faster code. */
#define FNN_WITH_WORDS(...)                                                                                  \
    {                                                                                                        \
        const REAL *x = x_;                                                                                  \
        REAL *y = y_;                                                                                        \
        uint32_t drawn[PHILOX_WORDS];                                                                        \
        ptrdiff_t done = 0, skip = (ptrdiff_t)(start % 4), count;                                            \
        for (uint64_t block = start / 4; done < n; block += PHILOX_BLOCKS, skip = 0, done += count) {        \
            fnn_philox(seed, stream, block, drawn);                                                          \
            const uint32_t *words = drawn + skip;                                                            \
            count = n - done < PHILOX_WORDS - skip ? n - done : PHILOX_WORDS - skip;                         \
            if (count == PHILOX_WORDS) {                                                                     \
                const ptrdiff_t count = PHILOX_WORDS;                                                        \
                __VA_ARGS__                                                                                  \
            } else {                                                                                         \
                __VA_ARGS__                                                                                  \
            }                                                                                                \
        }                                                                                                    \
    }

#define FNN_NOISE_KERNEL(name)                                                                               \
    KERNEL_FN void FN(name)(const void *x_, void *y_, ptrdiff_t n, uint64_t seed, uint64_t stream,           \
                            uint64_t start, const double *params)

/* Dropout (Srivastava et al. 2014), inverted: x / (1 - p) where the word is at least p 2^32, else 0;  params: p. The
 * product is computed in double, so that a float result is rounded once. */
INLINE void LANE(mask)(const REAL *x, REAL *y, const uint32_t *words, ptrdiff_t n, uint64_t threshold, double scale)
{
    for (ptrdiff_t i = 0; i < n; i++)
        y[i] = words[i] >= threshold ? (REAL)(x[i] * scale) : 0;
}
INLINE uint64_t LANE(words_below)(double p)
{
    return (uint64_t)(p * 0x1p32);
}
FNN_NOISE_KERNEL(dropout)
{
    const uint64_t threshold = LANE(words_below)(params[0]);
    const double scale = params[0] < 1 ? 1 / (1 - params[0]) : 0;
    FNN_WITH_WORDS(LANE(mask)(x + done, y + done, words, count, threshold, scale);)
}

/* Alpha dropout (Klambauer et al. 2017): dropped elements become ALPHA_LOW, selu's limit at -inf; then all are
 * scaled and shifted to keep mean 0 and variance 1;  params: p; with p = 1 all are 0 */
#define ALPHA_LOW (-1.7580993408473768599402175208123)
INLINE double LANE(alpha_scale)(double p)
{
    return p < 1 ? 1 / __builtin_sqrt((1 - p) * (1 + p * ALPHA_LOW * ALPHA_LOW)) : 0;
}
INLINE void LANE(alpha_mask)(const REAL *x, REAL *y, const uint32_t *words, ptrdiff_t n, uint64_t threshold,
                             double scale, double shift, REAL dropped)
{
    for (ptrdiff_t i = 0; i < n; i++)
        y[i] = words[i] >= threshold ? (REAL)(x[i] * scale + shift) : dropped;
}
FNN_NOISE_KERNEL(alpha_dropout)
{
    const uint64_t threshold = LANE(words_below)(params[0]);
    const double scale = LANE(alpha_scale)(params[0]), shift = -ALPHA_LOW * params[0] * scale;
    const REAL dropped = (REAL)(ALPHA_LOW * scale + shift);
    FNN_WITH_WORDS(LANE(alpha_mask)(x + done, y + done, words, count, threshold, scale, shift, dropped);)
}
FNN_NOISE_KERNEL(alpha_dropout_backward)
{
    const uint64_t threshold = LANE(words_below)(params[0]);
    const double scale = LANE(alpha_scale)(params[0]);
    FNN_WITH_WORDS(LANE(mask)(x + done, y + done, words, count, threshold, scale);)
}

/* The inverse of the normal distribution function by Wichura's algorithm AS 241, PPND16 (Applied Statistics 37,
 * 1988), without its third branch, which is for tails that no 32-bit word reaches. */
static const REAL FN(normal_middle)[] = {
    (REAL)3.3871328727963666080e0,  (REAL)1.3314166789178437745e+2, (REAL)1.9715909503065514427e+3,
    (REAL)1.3731693765509461125e+4, (REAL)4.5921953931549871457e+4, (REAL)6.7265770927008700853e+4,
    (REAL)3.3430575583588128105e+4, (REAL)2.5090809287301226727e+3,
};
static const REAL FN(normal_middle_below)[] = {
    (REAL)1.0,
    (REAL)4.2313330701600911252e+1,
    (REAL)6.8718700749205790830e+2,
    (REAL)5.3941960214247511077e+3,
    (REAL)2.1213794301586595867e+4,
    (REAL)3.9307895800092710610e+4,
    (REAL)2.8729085735721942674e+4,
    (REAL)5.2264952788528545610e+3,
};
static const REAL FN(normal_tail)[] = {
    (REAL)1.42343711074968357734e0,  (REAL)4.63033784615654529590e0,  (REAL)5.76949722146069140550e0,
    (REAL)3.64784832476320460504e0,  (REAL)1.27045825245236838258e0,  (REAL)2.41780725177450611770e-1,
    (REAL)2.27238449892691845833e-2, (REAL)7.74545014278341407640e-4,
};
static const REAL FN(normal_tail_below)[] = {
    (REAL)1.0,
    (REAL)2.05319162663775882187e0,
    (REAL)1.67638483018380384940e0,
    (REAL)6.89767334985100004550e-1,
    (REAL)1.48103976427480074590e-1,
    (REAL)1.51986665636164571966e-2,
    (REAL)5.47593808499534494600e-4,
    (REAL)1.05075007164441684324e-9,
};

/* A normal number: Phi^-1(1 - |u|) with the sign of u, for 2^-33 <= |u| <= 1/2. */
INLINE VEC LANE(normal)(VEC u)
{
    const VEC tail = v_abs(u), q = K(0.5) - tail;
    const MASK middle = v_le(q, K(0.425));
    const VEC near = K(0.180625) - q * q, far = v_sqrt(-LANE(log)(tail)) - K(1.6);
    const VEC above = v_select(middle, q * POLY(near, normal_middle), POLY(far, normal_tail));
    const VEC below = v_select(middle, POLY(near, normal_middle_below), POLY(far, normal_tail_below));
    return v_copysign(above / below, u);
}

/* The argument u of `normal`, from a word as a signed integer: its sign, and its other 31 bits plus 1/2, times
 * 2^-32. So u is not 0 even in float, and the tails are those of 2^32 numbers. */
INLINE void LANE(tails)(const uint32_t *words, REAL *u, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i++) {
        const int32_t word = (int32_t)words[i], rest = word ^ (word >> 31);
        const REAL tail = ((REAL)rest + (REAL)0.5) * (REAL)0x1p-32;
        u[i] = word < 0 ? -tail : tail;
    }
}

/* Noise: x + std z;  params: std. Gaussian dropout: x (1 + z sqrt(p / (1 - p)));  params: p. z is a normal number. */
INLINE void LANE(add_noise)(const REAL *x, REAL *y, const uint32_t *words, ptrdiff_t n, const double *params)
{
    REAL u[PHILOX_WORDS];
    LANE(tails)(words, u, n);
    FNN_MAP(v_fma(LANE(normal)(READ(u)), p[0], READ(x)))
}
INLINE void LANE(multiply_noise)(const REAL *x, REAL *y, const uint32_t *words, ptrdiff_t n, const double *params)
{
    REAL u[PHILOX_WORDS];
    LANE(tails)(words, u, n);
    FNN_MAP(READ(x) * v_fma(LANE(normal)(READ(u)), p[0], K(1)))
}
FNN_NOISE_KERNEL(gaussian_noise)
{
    FNN_WITH_WORDS(LANE(add_noise)(x + done, y + done, words, count, params);)
}
FNN_NOISE_KERNEL(gaussian_dropout)
{
    const double std[3] = {__builtin_sqrt(params[0] / (1 - params[0]))};
    FNN_WITH_WORDS(LANE(multiply_noise)(x + done, y + done, words, count, std);)
}

/* Randomized leaky ReLU (Xu et al. 2015): x, or slope x for x <= 0, with a slope for each word, uniform in
 * [lower, upper);  params: lower, upper. The product is computed in double, so that a float result is rounded once. */
INLINE void LANE(random_slopes)(const REAL *g, const REAL *x, REAL *y, const uint32_t *words, ptrdiff_t n,
                                const double *params)
{
    const double lower = params[0], width = params[1] - params[0];
    for (ptrdiff_t i = 0; i < n; i++)
        y[i] = x[i] <= 0 ? (REAL)(g[i] * (lower + width * (words[i] * 0x1p-32))) : g[i];
}
FNN_NOISE_KERNEL(rrelu)
{
    FNN_WITH_WORDS(LANE(random_slopes)(x + done, x + done, y + done, words, count, params);)
}
KERNEL_FN void FN(rrelu_backward)(const void *g_, const void *x_, void *y_, ptrdiff_t n, uint64_t seed, uint64_t stream,
                                  uint64_t start, const double *params)
{
    const REAL *g = g_;
    FNN_WITH_WORDS(LANE(random_slopes)(g + done, x + done, y + done, words, count, params);)
}
