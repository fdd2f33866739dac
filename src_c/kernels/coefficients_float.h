/* Written by tools/minimax.py. */
/* clang-format off */

/* ln 2 in two parts; the first leaves room for its product with any exponent to be exact. */
static const REAL FN(ln2)[] = {
    0x1.62e400p-1,
    0x1.7f7d1cp-20,
};

/* (exp(r) - 1 - r) / r^2 for |r| <= ln(2) / 2; relative error 2^-25.8. */
static const REAL FN(exp_poly)[] = {
    0x1.fffffep-2,
    0x1.5554b0p-3,
    0x1.555676p-5,
    0x1.12276ep-7,
    0x1.6beabep-10,
};

/* (2 atanh(s) - 2 s) / s^3 in w = s^2 for |s| <= 1/5; relative error 2^-27.2. */
static const REAL FN(log_poly)[] = {
    0x1.5555b4p-1,
    0x1.992b44p-2,
    0x1.36e07ap-2,
};

/* erf(x) / x - 1 in z = x^2 for |x| <= 27/32; relative error 2^-25.5. */
static const REAL FN(erf_poly)[] = {
    0x1.06eba8p-3,
    -0x1.81271cp-2,
    0x1.ce247cp-4,
    -0x1.b72ccep-6,
    0x1.4b5390p-8,
    -0x1.4c8e68p-11,
};

/* Phi(-a) exp(a^2 / 2) as a quotient for 0 <= a <= tail_end, beyond which Phi(-a) and a phi(a) are 0;
 * relative error 2^-26.1. */
static const REAL FN(tail_end) = 14.578125;
static const REAL FN(tail_numerator)[] = {
    0x1.000000p-1,
    0x1.c0fa4ap-2,
    0x1.778226p-3,
    0x1.4d31f8p-5,
    0x1.0e2812p-8,
};
static const REAL FN(tail_denominator)[] = {
    0x1.000000p+0,
    0x1.acbf56p+0,
    0x1.33f780p+0,
    0x1.e10ef8p-2,
    0x1.a19fdcp-4,
    0x1.52964cp-7,
};
