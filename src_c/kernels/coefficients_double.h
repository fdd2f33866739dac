/* Written by tools/minimax.py. */
/* clang-format off */

/* ln 2 in two parts; the first leaves room for its product with any exponent to be exact. */
static const REAL FN(ln2)[] = {
    0x1.62e42fefa3800p-1,
    0x1.ef35793c76730p-45,
};

/* (exp(r) - 1 - r) / r^2 for |r| <= ln(2) / 2; relative error 2^-54.7. */
static const REAL FN(exp_poly)[] = {
    0x1.0000000000005p-1,
    0x1.5555555555539p-3,
    0x1.55555555522b9p-5,
    0x1.1111111118f95p-7,
    0x1.6c16c17edb707p-10,
    0x1.a01a01751dd52p-13,
    0x1.a019a76fdf2b7p-16,
    0x1.71de87f0079b5p-19,
    0x1.28a1df719dc8fp-22,
    0x1.ae6bcf0d595e6p-26,
};

/* (2 atanh(s) - 2 s) / s^3 in w = s^2 for |s| <= 1/5; relative error 2^-60.1. */
static const REAL FN(log_poly)[] = {
    0x1.555555555554fp-1,
    0x1.999999999c0ccp-2,
    0x1.24924921ee4e7p-2,
    0x1.c71c74870c41ap-3,
    0x1.745c4cdd4343ep-3,
    0x1.3b358023df212p-3,
    0x1.0dcfc776ea57ep-3,
    0x1.1b657ec4e07cap-3,
};

/* erf(x) / x - 1 in z = x^2 for |x| <= 27/32; relative error 2^-55.5. */
static const REAL FN(erf_poly)[] = {
    0x1.06eba8214db68p-3,
    -0x1.812746b0379a3p-2,
    0x1.ce2f21a03f101p-4,
    -0x1.b82ce31148afap-6,
    0x1.565bccd6830efp-8,
    -0x1.c02da8938a1bep-11,
    0x1.f9a1b12f05f91p-14,
    -0x1.f4b38d0bd0745p-17,
    0x1.b84268f9680f7p-20,
    -0x1.515e3c11757cap-23,
    0x1.70203d613fa76p-27,
};

/* Phi(-a) exp(a^2 / 2) as a quotient for 0 <= a <= tail_end, beyond which Phi(-a) and a phi(a) are 0;
 * relative error 2^-54.9. */
static const REAL FN(tail_end) = 38.75;
static const REAL FN(tail_numerator)[] = {
    0x1.000000p-1,
    0x1.a7d1eae180bd1p-1,
    0x1.5bd6ea14f64a9p-1,
    0x1.6dbc82a7b12ebp-2,
    0x1.0e400cb3e7417p-3,
    0x1.23f23f229fd63p-5,
    0x1.d254771a67b66p-8,
    0x1.10395f4617f55p-10,
    0x1.be5b6c2820b86p-14,
    0x1.d35c4b1958e3fp-18,
    0x1.e079cd33b9699p-23,
};
static const REAL FN(tail_denominator)[] = {
    0x1.000000p+0,
    0x1.3a0a0a401137dp+1,
    0x1.687c9eda61930p+1,
    0x1.00159bcbf9788p+1,
    0x1.f58b487b20d78p-1,
    0x1.646e9f61f47e4p-2,
    0x1.786b59c4b6b90p-4,
    0x1.2894c25817170p-6,
    0x1.57786cc6c495cp-9,
    0x1.184d08e826af0p-12,
    0x1.24dff13121822p-16,
    0x1.2d17f2cb1d2e3p-21,
};
