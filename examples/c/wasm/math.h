/* What a network of products and comparisons needs of math.h, where there is no C library. */
#define NAN (__builtin_nanf(""))
#define INFINITY (__builtin_inff())
#define fabsf __builtin_fabsf
#define sqrtf __builtin_sqrtf
