/* The kernels that follow are compiled for float. */
#undef REAL
#undef BITS
#undef PSD
#undef MANTISSA_BITS
#undef EXPONENT_BIAS
#define REAL float
#define BITS 32
#define PSD ps
#define MANTISSA_BITS 23
#define EXPONENT_BIAS 127
