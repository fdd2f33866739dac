/* The kernels that follow are compiled for double. */
#undef REAL
#undef BITS
#undef PSD
#undef MANTISSA_BITS
#undef EXPONENT_BIAS
#define REAL double
#define BITS 64
#define PSD pd
#define MANTISSA_BITS 52
#define EXPONENT_BIAS 1023
