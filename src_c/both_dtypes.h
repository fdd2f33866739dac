/* Compiles FNN_SOURCE, the file that includes this one, for float and for double: REAL is the dtype, INT the integer of its
 * size, FN(name) the function fnn_<name>_f32 or fnn_<name>_f64. */
#define REAL float
#define INT int32_t
#define FN(name) fnn_##name##_f32
#include FNN_SOURCE
#undef REAL
#undef INT
#undef FN
#define REAL double
#define INT int64_t
#define FN(name) fnn_##name##_f64
#include FNN_SOURCE
#undef REAL
#undef INT
#undef FN
#undef FNN_SOURCE
