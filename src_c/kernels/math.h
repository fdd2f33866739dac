/* Elementary functions of one register, the same source for float and double.
 *
 * No branches: where two formulas are needed, both are computed and one is selected. The constants come from
 * tools/minimax.py. The stated errors, in ulp for float and for double, are the largest ones over all floats and
 * over samples of doubles of every exponent and around the ends of all intervals, compared with more precise
 * functions. They hold for AVX2 and AVX-512, whose bits agree; without FMA they are up to a half more. NaN gives
 * NaN; expm1, log1p, tanh and erf keep the sign of 0; denormal arguments and results are exact like normal ones. */
#if BITS == 32
#include "coefficients_float.h"
#else
#include "coefficients_double.h"
#endif

/* Adding this to a small number rounds it to an integer n, which is then in the low bits of the sum. */
#define ROUND ((REAL)((uint64_t)3 << (MANTISSA_BITS - 1)))
#define LN2 0x1.62e42fefa39efp-1
#define LN2_BEYOND_DOUBLE 0x1.abc9e3b39803fp-56
#define LOG2_E 0x1.71547652b82fep+0
#define SQRT_HALF 0x1.6a09e667f3bcdp-1
#define INF __builtin_inf()
#define MIN_NORMAL (BITS == 32 ? 0x1p-126 : 0x1p-1022)
/* exp(x) is below half the least denormal before the first, above 2^(EXPONENT_BIAS + 1) from the second. */
#define EXP_START (-(EXPONENT_BIAS + MANTISSA_BITS + 0.1) * LN2)
#define EXP_END ((EXPONENT_BIAS + 1.4) * LN2)
/* Beyond these tanh(x) rounds to 1 and expm1(x) to -1. */
#define TANH_END (0.35 * (MANTISSA_BITS + 4))
#define EXPM1_START (-0.7 * (MANTISSA_BITS + 3))

/* y with the sign of x, where y has that sign already or is 0 or NaN. */
#define ADD_SIGN(y, x) ((VEC)((IVEC)(y) | v_sign_bits(x)))

/* c[0] + c[step] x + c[2 step] x^2 + ... up to c[n - 1], by Horner's rule. */
INLINE VEC LANE(horner)(VEC x, const REAL *c, int n, int step)
{
    const int last = (n - 1) / step * step;
    VEC y = K(c[last]);
    UNROLL
    for (int i = last - step; i >= 0; i -= step)
        y = v_fma(y, x, K(c[i]));
    return y;
}

/* c[0] + c[1] x + ... + c[n - 1] x^(n - 1). A long one is computed from its even and odd terms: their latencies
 * overlap (which saves a tenth of exp's time in double), and roundings are half as many in sequence. */
INLINE VEC LANE(polynomial)(VEC x, const REAL *c, int n)
{
    if (n < 5)
        return LANE(horner)(x, c, n, 1);
    const VEC square = x * x;
    return v_fma(x, LANE(horner)(square, c + 1, n - 1, 2), LANE(horner)(square, c, n, 2));
}
#define POLY(x, name) LANE(polynomial)(x, FN(name), (int)(sizeof FN(name) / sizeof FN(name)[0]))

/* x = n ln 2 + r with |r| <= ln(2) / 2, and exp(r) - 1 = r + r^2 q(r). Returns head, the part of r that is exact;
 * *rest is exp(r) - 1 - head, *shifted is n + ROUND. */
INLINE VEC LANE(exp_parts)(VEC x, VEC *rest, VEC *shifted)
{
    *shifted = v_fma(x, K(LOG2_E), K(ROUND));
    const VEC n = *shifted - K(ROUND);
    const VEC head = v_fnma(n, K(FN(ln2)[0]), x);
    const VEC low = n * K(FN(ln2)[1]);
    const VEC r = head - low;
    *rest = v_fma(r * r, POLY(r, exp_poly), -low);
    return head;
}

/* y 2^n by adding n to the exponent, where y and the result are normal. */
INLINE VEC LANE(shift_exponent)(VEC y, VEC shifted)
{
    return (VEC)((UVEC)y + ((UVEC)shifted << MANTISSA_BITS));
}

/* y 2^n rounded once, also where it overflows or is denormal. Without an instruction for it, in two steps, of which
 * the first is exact. */
INLINE VEC LANE(scale)(VEC y, VEC shifted)
{
    const VEC n = shifted - K(ROUND);
#ifdef v_scalef
    return v_scalef(y, n);
#else
    const VEC half = v_fma(n, K(0.5), K(ROUND));
    const VEC rest = (VEC)((UVEC)shifted - (UVEC)half);
    return y * LANE(shift_exponent)(K(1), half) * LANE(shift_exponent)(K(1), rest);
#endif
}

/* The same for n < 60, so that 2^(n + 64) is neither infinite nor denormal. */
INLINE VEC LANE(scale_down)(VEC y, VEC shifted)
{
#ifdef v_scalef
    return LANE(scale)(y, shifted);
#else
    return y * LANE(shift_exponent)(K(0x1p64), shifted) * K(0x1p-64);
#endif
}

/* exp(x), all x: 0.95, 0.95 ulp. */
INLINE VEC LANE(exp)(VEC x)
{
    VEC rest, shifted;
    const VEC head = LANE(exp_parts)(v_max(K(EXP_START), v_min(K(EXP_END), x)), &rest, &shifted);
    return LANE(scale)(K(1) + (head + rest), shifted);
}

/* exp(x), x below 40. */
INLINE VEC LANE(exp_bounded)(VEC x)
{
    VEC rest, shifted;
    const VEC head = LANE(exp_parts)(v_max(K(EXP_START), x), &rest, &shifted);
    return LANE(scale_down)(K(1) + (head + rest), shifted);
}

/* exp(x) - 1 = power (1 + head + rest) - 1, all x: 1.26, 1.25 ulp. The rounding error of the larger sum is added
 * back. 2^n overflows for n = 128 (1024 in double): n - 1 is used and the result doubled. */
INLINE VEC LANE(expm1)(VEC x)
{
    VEC rest, shifted;
    const VEC bounded = v_max(K(EXPM1_START), v_min(K(EXP_END), x));
    const VEC head = LANE(exp_parts)(bounded, &rest, &shifted);
    const VEC most = v_min(K(ROUND + EXPONENT_BIAS), shifted);
    const VEC power = LANE(shift_exponent)(K(1), most);
    const VEC base = power - K(1);
    const VEC sum = v_fma(power, head, base);
    const VEC lost = v_fma(power, head, base - sum);
    const VEC y = sum + v_fma(power, rest, lost);
    return ADD_SIGN(v_fma(y, shifted - most, y), x);
}

/* tanh(x) = b - b b / (1 + h), all x: 1.96, 1.83 ulp. h = expm1(2 |x|) / 2 and b = min(h, 1): b = h gives h / (1 +
 * h) and b = 1 gives 1 - 1 / (1 + h), the same number, each accurate on its side. As n is small, n LN2 is subtracted
 * from 2 |x| exactly, and ln 2 - LN2 matters in double only. */
INLINE VEC LANE(tanh)(VEC x)
{
    const VEC a = v_min(K(TANH_END), v_abs(x));
    const VEC shifted = v_fma(a, K(2 * LOG2_E), K(ROUND));
    const VEC n = shifted - K(ROUND);
    const VEC r = v_fnma(n, K(LN2), a + a);
    const VEC square = r * r, q = POLY(r, exp_poly);
    VEC p = v_fma(square, q, r);
    if (BITS == 64)
        p = r + v_fma(square, q, n * K(-LN2_BEYOND_DOUBLE));
    const VEC power = LANE(shift_exponent)(K(0.5), shifted);
    const VEC h = v_fma(power, p, power - K(0.5));
    const VEC base = v_min(h, K(1));
    return ADD_SIGN(v_fnma(base / (K(1) + h), base, base), x);
}

/* 1 / (1 + exp(-x)) = b - b e / (1 + e), all x: 1.65, 1.64 ulp. e = exp(-|x|); b = e where x < 0 gives
 * e / (1 + e) and b = 1 elsewhere gives 1 / (1 + e). */
INLINE VEC LANE(sigmoid)(VEC x)
{
    const VEC e = LANE(exp_bounded)(-v_abs(x));
    const VEC base = v_select(v_lt(x, K(0)), e, K(1));
    return v_fnma(e / (K(1) + e), base, base);
}

/* x = 2^e m with 3/4 <= m < 3/2, for normal positive x. Returns m; *biased is e + EXPONENT_BIAS. */
INLINE VEC LANE(split_exponent)(VEC x, IVEC *biased)
{
    const IVEC moved = (IVEC)((UVEC)x + ((UVEC)K(1) - (UVEC)K(0.75)));
    *biased = moved >> MANTISSA_BITS;
    return (VEC)((UVEC)(moved & (((INT)1 << MANTISSA_BITS) - 1)) + (UVEC)K(0.75));
}

/* A small non-negative integer, less offset, as a real. */
INLINE VEC LANE(real_of)(IVEC n, VEC offset)
{
    return (VEC)((UVEC)n + (UVEC)K(ROUND)) - (K(ROUND) + offset);
}

/* log(2^e (1 + f)) = e ln 2 + f - f^2 / 2 + s (f^2 / 2 + s^2 L(s^2)) with s = f / (2 + f): as in fdlibm,
 * all but the first two terms are small. */
INLINE VEC LANE(log_split)(VEC e, VEC f)
{
    const VEC s = f / (K(2) + f);
    const VEC w = s * s;
    const VEC half_square = K(0.5) * f * f;
    const VEC rest = v_fma(s, v_fma(w, POLY(w, log_poly), half_square), e * K(FN(ln2)[1]));
    return v_fma(e, K(FN(ln2)[0]), f - (half_square - rest));
}

/* y for positive finite x; otherwise -inf at 0, inf at inf, NaN below 0. */
INLINE VEC LANE(log_edges)(VEC x, VEC y)
{
    const VEC outside = v_select(v_eq(x, K(0)), K(-INF), K(__builtin_nan("")));
    return v_select(v_gt(x, K(0)), v_select(v_lt(x, K(INF)), y, x), outside);
}

/* log(x), all x: 0.92, 0.91 ulp. */
INLINE VEC LANE(log)(VEC x)
{
    IVEC biased;
    const MASK is_denormal = v_lt(x, K(MIN_NORMAL));
    const VEC normal = v_select(is_denormal, x * K((uint64_t)1 << MANTISSA_BITS), x);
    const VEC m = LANE(split_exponent)(normal, &biased);
    const VEC bias = v_select(is_denormal, K(EXPONENT_BIAS + MANTISSA_BITS), K(EXPONENT_BIAS));
    const VEC e = LANE(real_of)(biased, bias);
    return LANE(log_edges)(x, LANE(log_split)(e, m - K(1)));
}

/* log(1 + x), all x: 0.93, 0.90 ulp. 1 + x, rounded, is 2^e m, but f = 2^-e (1 + x) - 1 is computed from x itself,
 * without that rounding; for x so large that 2^-e might not be normal, from m. */
INLINE VEC LANE(log1p)(VEC x)
{
    IVEC biased;
    const VEC u = K(1) + x;
    const VEC m = LANE(split_exponent)(u, &biased);
    const VEC e = LANE(real_of)(biased, K(EXPONENT_BIAS));
    const VEC power = (VEC)((2 * EXPONENT_BIAS - biased) << MANTISSA_BITS);
    const VEC f = v_select(v_lt(x, K((uint64_t)4 << MANTISSA_BITS)), v_fma(x, power, power - K(1)), m - K(1));
    return ADD_SIGN(LANE(log_edges)(u, LANE(log_split)(e, f)), x);
}

/* c - scale x^2 without rounding x^2, scale a power of two; without FMA by the upper half of x, whose square is
 * exact. */
INLINE VEC LANE(less_square)(VEC c, VEC x, double scale)
{
#ifdef FMA_ROUNDS_TWICE
    const VEC upper = (VEC)((IVEC)x & -((INT)1 << (MANTISSA_BITS / 2 + 1)));
    return (c - K(scale) * upper * upper) - K(scale) * (x - upper) * (x + upper);
#else
    return v_fnma(K(scale) * x, x, c);
#endif
}

/* factor exp(-scale x^2). The square is not rounded before n ln 2 is subtracted: exp would multiply its relative
 * error by x^2. */
INLINE VEC LANE(gaussian)(VEC x, double scale, VEC factor)
{
    const VEC shifted = v_fma(x * x, K(-scale * LOG2_E), K(ROUND));
    const VEC n = shifted - K(ROUND);
    const VEC head = LANE(less_square)(n * K(-FN(ln2)[0]), x, scale);
    const VEC r = v_fnma(n, K(FN(ln2)[1]), head);
    const VEC p = v_fma(r * r, POLY(r, exp_poly), r);
    return LANE(scale_down)(v_fma(p, factor, factor), shifted);
}

/* Phi(-a) exp(a^2 / 2) for 0 <= a <= tail_end, Phi being the normal distribution function. */
INLINE VEC LANE(tail_ratio)(VEC a)
{
    return POLY(a, tail_numerator) / POLY(a, tail_denominator);
}

/* erfc(x) = 2 Phi(-sqrt(2) x), x >= 0: 4.7, 5.3 ulp. */
INLINE VEC LANE(erfc_positive)(VEC x)
{
    const VEC bounded = v_min(K(FN(tail_end) * SQRT_HALF), x);
    return K(2) * LANE(gaussian)(bounded, 1, LANE(tail_ratio)(K(2 * SQRT_HALF) * bounded));
}

/* erf(x), all x: 1.31, 1.41 ulp. x + x p(x^2) for |x| < 27/32; 1 - erfc(|x|) elsewhere, where erfc is below 1/4, so
 * that its error matters little. */
INLINE VEC LANE(erf)(VEC x)
{
    const VEC a = v_abs(x);
    const VEC inner = v_fma(a, POLY(x * x, erf_poly), a);
    const VEC outer = K(1) - LANE(erfc_positive)(a);
    return ADD_SIGN(v_select(v_lt(a, K(27.0 / 32)), inner, outer), x);
}
