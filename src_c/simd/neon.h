/* AArch64 Advanced SIMD: 4 floats or 2 doubles, with FMA. */
#include <arm_neon.h>

#include "vocabulary.h"

typedef float32x4_t vec32;
typedef float64x2_t vec64;
typedef int32_t ivec32 __attribute__((vector_size(16)));
typedef int64_t ivec64 __attribute__((vector_size(16)));
typedef uint32_t uvec32 __attribute__((vector_size(16)));
typedef uint64_t uvec64 __attribute__((vector_size(16)));
typedef uint32x4_t mask32;
typedef uint64x2_t mask64;

#define TILE_ROWS 8
#define V(op) FNN_CAT(op, FNN_CAT(f, BITS))

#include "padded_tail.h"

#define v_splat(c) V(vdupq_n_)(c)
#define v_load(p) V(vld1q_)(p)
#define v_store(p, v) V(vst1q_)(p, v)

#define v_fma(a, b, c) V(vfmaq_)(c, a, b)
#define v_sqrt(v) V(vsqrtq_)(v)
/* NEON's own max returns NaN if either is NaN; the vocabulary requires b. */
#define v_max(a, b) v_select(v_gt(a, b), a, b)
#define v_min(a, b) v_select(v_lt(a, b), a, b)

#define v_lt(a, b) V(vcltq_)(a, b)
#define v_le(a, b) V(vcleq_)(a, b)
#define v_gt(a, b) V(vcgtq_)(a, b)
#define v_ge(a, b) V(vcgeq_)(a, b)
#define v_eq(a, b) V(vceqq_)(a, b)
#define v_or(m, k) FNN_CAT(vorrq_u, BITS)(m, k)
#define v_select(m, a, b) V(vbslq_)(m, a, b)

#define v_zip_low(a, b) V(vzip1q_)(a, b)
#define v_zip_high(a, b) V(vzip2q_)(a, b)

#define v_mul_low32(a, b) ((ivec64)vmull_u32(vmovn_u64((uint64x2_t)(a)), vmovn_u64((uint64x2_t)(b))))
