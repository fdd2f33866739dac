/* Elementary functions of one register, the same text for float and double. Included after begin_float.h or begin_double.h.
 *
 * No branches: both sides are computed and selected. The constants are tools/minimax.py's, the errors were measured over all
 * floats, and for double over samples of all exponents, against functions of higher precision; they hold for the sets with FMA,
 * whose bits agree. NaN gives NaN; -0 is kept by expm1, log1p, tanh and erf; denormals are neither flushed nor slow to appear. */
#if BITS == 32
#include "coefficients_float.h"
#else
#include "coefficients_double.h"
#endif

/* Adding this to a small number rounds it to an integer, found in the low bits of the sum. */
#define ROUND ((REAL)((uint64_t)3 << (MANTISSA_BITS - 1)))
#define LN2 0x1.62e42fefa39efp-1
#define LOG2_E 0x1.71547652b82fep+0
#define SQRT_HALF 0x1.6a09e667f3bcdp-1
#define INF __builtin_inf()
#define MIN_NORMAL (BITS == 32 ? 0x1p-126 : 0x1p-1022)
/* exp is 0 below the one, infinite above the other. */
#define EXP_START (-(EXPONENT_BIAS + MANTISSA_BITS + 0.1) * LN2)
#define EXP_END ((EXPONENT_BIAS + 1.4) * LN2)

/* y with the sign of x, where y has that sign or is 0 or NaN. */
#define ADD_SIGN(y, x) ((VEC)((IVEC)(y) | v_sign_bits(x)))

/* c[0] + c[step] x + c[2 step] x^2 + ... up to c[n - 1], by Horner's rule. */
INLINE VEC LANE(horner)(VEC x, const REAL *c, int n, int step)
{
    int last = (n - 1) / step * step;
    VEC y = K(c[last]);
    UNROLL
    for (int i = last - step; i >= 0; i -= step)
        y = v_fma(y, x, K(c[i]));
    return y;
}

/* c[0] + c[1] x + ... + c[n - 1] x^(n - 1). A long one from its even and odd halves, of which the latencies overlap (10% less
 * time in double) and where half as many roundings follow each other. */
INLINE VEC LANE(polynomial)(VEC x, const REAL *c, int n)
{
    if (n < 5)
        return LANE(horner)(x, c, n, 1);
    VEC square = x * x;
    return v_fma(x, LANE(horner)(square, c + 1, n - 1, 2), LANE(horner)(square, c, n, 2));
}
#define POLY(x, name) LANE(polynomial)(x, FN(name), (int)(sizeof FN(name) / sizeof FN(name)[0]))

/* x - error = n ln 2 + r with |r| <= ln(2) / 2, and exp(r) - 1 = r + r^2 q(r). Returns head, the part of r that is exact; *rest is
 * what exp(r) - 1 has beyond it; *shifted is n + ROUND. */
INLINE VEC LANE(exp_parts)(VEC x, VEC error, VEC *rest, VEC *shifted)
{
    *shifted = v_fma(x, K(LOG2_E), K(ROUND));
    VEC n = *shifted - K(ROUND);
    VEC head = v_fnma(n, K(FN(ln2)[0]), x);
    VEC low = v_fma(n, K(FN(ln2)[1]), error);
    VEC r = head - low;
    *rest = v_fma(r * r, POLY(r, exp_poly), -low);
    return head;
}

/* y 2^n by adding n to the exponent, where y and the result are normal. */
INLINE VEC LANE(shift_exponent)(VEC y, VEC shifted)
{
    return (VEC)((IVEC)y + ((IVEC)shifted << MANTISSA_BITS));
}

/* y 2^n rounded once, so that it may overflow or be denormal: without an instruction for it, in two steps of which the first is exact. */
INLINE VEC LANE(scale)(VEC y, VEC shifted)
{
    VEC n = shifted - K(ROUND);
#ifdef v_scalef
    return v_scalef(y, n);
#else
    VEC half = v_fma(n, K(0.5), K(ROUND));
    VEC rest = (VEC)((IVEC)shifted - (IVEC)half);
    return y * LANE(shift_exponent)(K(1), half) * LANE(shift_exponent)(K(1), rest);
#endif
}

/* exp(x) where it does not overflow: x below 709 (88 for float). */
INLINE VEC LANE(exp_bounded)(VEC x)
{
    VEC rest, shifted;
    VEC head = LANE(exp_parts)(v_max(K(EXP_START), x), K(0), &rest, &shifted);
    return LANE(scale)(K(1) + (head + rest), shifted);
}

/* exp(x), all x. */
INLINE VEC LANE(exp)(VEC x)
{
    return LANE(exp_bounded)(v_min(K(EXP_END), x));
}

/* unit (exp(x) - 1) = power (1 + head + rest) - unit with power = unit 2^n; what rounding the larger sum loses is added back. */
INLINE VEC LANE(expm1_of_parts)(VEC unit, VEC head, VEC rest, VEC shifted)
{
    VEC power = LANE(shift_exponent)(unit, shifted);
    VEC base = power - unit;
    VEC sum = v_fma(power, head, base);
    VEC lost = v_fma(power, head, base - sum);
    return sum + v_fma(power, rest, lost);
}

/* exp(x) - 1, all x. n = 128 (1024 in double) has no power of two: it is taken as one less and the result doubled. */
INLINE VEC LANE(expm1)(VEC x)
{
    VEC rest, shifted;
    VEC bounded = v_max(K(-0.7 * (MANTISSA_BITS + 3)), v_min(K(EXP_END), x));
    VEC head = LANE(exp_parts)(bounded, K(0), &rest, &shifted);
    VEC most = v_min(K(ROUND + EXPONENT_BIAS), shifted);
    VEC y = LANE(expm1_of_parts)(K(1), head, rest, most);
    return ADD_SIGN(v_fma(y, shifted - most, y), x);
}

/* tanh(x) = b - b b / (1 + h) with h = expm1(2 |x|) / 2 and b = h where that is small, which gives h / (1 + h); b = 1 elsewhere. */
INLINE VEC LANE(tanh)(VEC x)
{
    VEC rest, shifted;
    VEC a = v_min(K(0.35 * (MANTISSA_BITS + 4)), v_abs(x));
    VEC head = LANE(exp_parts)(a + a, K(0), &rest, &shifted);
    VEC h = LANE(expm1_of_parts)(K(0.5), head, rest, shifted);
    VEC base = v_min(h, K(1));
    return ADD_SIGN(v_fnma(base / (K(1) + h), base, base), x);
}

/* 1 / (1 + exp(-x)) = b - b e / (1 + e) with e = exp(-|x|) and b = e where x < 0, which gives e / (1 + e); b = 1 elsewhere. */
INLINE VEC LANE(sigmoid)(VEC x)
{
    VEC e = LANE(exp_bounded)(-v_abs(x));
    VEC base = v_select(v_lt(x, K(0)), e, K(1));
    return v_fnma(e / (K(1) + e), base, base);
}

/* x = 2^e m with 3/4 <= m < 3/2, for normal positive x. Returns m; *biased is e + EXPONENT_BIAS as an integer. */
INLINE VEC LANE(split_exponent)(VEC x, IVEC *biased)
{
    IVEC moved = (IVEC)x + ((IVEC)K(1) - (IVEC)K(0.75));
    *biased = moved >> MANTISSA_BITS;
    return (VEC)((moved & (((INT)1 << MANTISSA_BITS) - 1)) + (IVEC)K(0.75));
}

/* A small non-negative integer, less offset, as a real. */
INLINE VEC LANE(real_of)(IVEC n, VEC offset)
{
    return (VEC)(n + (IVEC)K(ROUND)) - (K(ROUND) + offset);
}

/* log(2^e (1 + f)) = e ln 2 + f - f^2 / 2 + s (f^2 / 2 + s^2 L(s^2)), s = f / (2 + f): fdlibm's form. */
INLINE VEC LANE(log_split)(VEC e, VEC f)
{
    VEC s = f / (K(2) + f);
    VEC w = s * s;
    VEC half_square = K(0.5) * f * f;
    VEC rest = v_fma(s, v_fma(w, POLY(w, log_poly), half_square), e * K(FN(ln2)[1]));
    return v_fma(e, K(FN(ln2)[0]), f - (half_square - rest));
}

/* y for positive finite x, and what the logarithm is elsewhere: infinite at 0 and infinity, NaN below 0. */
INLINE VEC LANE(log_edges)(VEC x, VEC y)
{
    VEC outside = v_select(v_eq(x, K(0)), K(-INF), K(__builtin_nan("")));
    return v_select(v_gt(x, K(0)), v_select(v_lt(x, K(INF)), y, x), outside);
}

/* log(x), all x. */
INLINE VEC LANE(log)(VEC x)
{
    IVEC biased;
    MASK is_denormal = v_lt(x, K(MIN_NORMAL));
    VEC normal = v_select(is_denormal, x * K((uint64_t)1 << MANTISSA_BITS), x);
    VEC m = LANE(split_exponent)(normal, &biased);
    VEC e = LANE(real_of)(biased, v_select(is_denormal, K(EXPONENT_BIAS + MANTISSA_BITS), K(EXPONENT_BIAS)));
    return LANE(log_edges)(x, LANE(log_split)(e, m - K(1)));
}

/* log(1 + x), all x. With 1 + x rounded to 2^e m, f = 2^-e (1 + x) - 1 is taken from x itself; where x is large, from m. */
INLINE VEC LANE(log1p)(VEC x)
{
    IVEC biased;
    VEC u = K(1) + x;
    VEC m = LANE(split_exponent)(u, &biased);
    VEC e = LANE(real_of)(biased, K(EXPONENT_BIAS));
    VEC power = (VEC)((2 * EXPONENT_BIAS - biased) << MANTISSA_BITS);
    VEC f = v_select(v_lt(x, K((uint64_t)4 << MANTISSA_BITS)), v_fma(x, power, power - K(1)), m - K(1));
    return ADD_SIGN(LANE(log_edges)(u, LANE(log_split)(e, f)), x);
}

/* x^2 - square exactly, where square is x^2 rounded: without FMA from the square of x's upper half, which is exact. */
INLINE VEC LANE(square_error)(VEC x, VEC square)
{
#ifdef FMA_ROUNDS_TWICE
    VEC upper = (VEC)((IVEC)x & -((INT)1 << (MANTISSA_BITS / 2 + 1)));
    return (upper * upper - square) + (x - upper) * (x + upper);
#else
    return v_fma(x, x, -square);
#endif
}

/* Phi(-a) = exp(-a^2 / 2) P(a) / Q(a), where a^2 / 2 = scale x^2, a >= 0. The error of x^2 must be accounted for, as exp
 * multiplies it by x^2. */
INLINE VEC LANE(normal_tail)(VEC a, VEC x, VEC scale)
{
    VEC rest, shifted;
    VEC square = x * x;
    VEC head = LANE(exp_parts)(-scale * square, scale * LANE(square_error)(x, square), &rest, &shifted);
    VEC ratio = POLY(a, tail_numerator) / POLY(a, tail_denominator);
    return LANE(scale)(v_fma(head + rest, ratio, ratio), shifted);
}

/* The standard normal distribution function Phi(x) = erfc(-x / sqrt 2) / 2, all x. */
INLINE VEC LANE(normal_cdf)(VEC x)
{
    VEC a = v_min(K(FN(tail_end)), v_abs(x));
    VEC tail = LANE(normal_tail)(a, a, K(0.5));
    return v_select(v_lt(x, K(0)), tail, K(1) - tail);
}

/* erfc(x) = 2 Phi(-sqrt(2) x), x >= 0. */
INLINE VEC LANE(erfc_positive)(VEC x)
{
    VEC bounded = v_min(K(FN(tail_end) * SQRT_HALF), x);
    return K(2) * LANE(normal_tail)(K(2 * SQRT_HALF) * bounded, bounded, K(1));
}

/* erf(x), all x: x + x p(x^2) where that is small, 1 - erfc(|x|) elsewhere. */
INLINE VEC LANE(erf)(VEC x)
{
    VEC a = v_abs(x);
    VEC near = v_fma(a, POLY(x * x, erf_poly), a);
    return ADD_SIGN(v_select(v_lt(a, K(0.75)), near, K(1) - LANE(erfc_positive)(a)), x);
}
