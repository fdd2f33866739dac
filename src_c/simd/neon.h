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

/* Sums of 4 products of bytes, for kernels/int8.h: `four` of x, from 1 to 255, times 4 integers of each column at w. */
typedef int32x4_t int8_sums;
#define INT8_LANES 4
#define int8_zero() vdupq_n_s32(0)
#define int8_store(p, acc) vst1q_s32(p, acc)
static inline int32x4_t int8_add(int32x4_t acc, int32_t four, const int8_t *w)
{
    const int16x4_t x = vget_low_s16(vreinterpretq_s16_u16(vmovl_u8(vreinterpret_u8_s32(vdup_n_s32(four)))));
    const int8x16_t bytes = vld1q_s8(w);
    const int16x8_t low = vmovl_s8(vget_low_s8(bytes)), high = vmovl_s8(vget_high_s8(bytes));
    const int32x4_t a = vmull_s16(vget_low_s16(low), x), b = vmull_s16(vget_high_s16(low), x);
    const int32x4_t c = vmull_s16(vget_low_s16(high), x), d = vmull_s16(vget_high_s16(high), x);
    return vaddq_s32(acc, vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d)));
}
