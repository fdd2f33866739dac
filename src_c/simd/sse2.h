/* The x86-64 baseline: 4 floats or 2 doubles. No FMA, so its bits may differ from those of the other sets. */
#include <emmintrin.h>

#include "vocabulary.h"

typedef __m128 vec32, mask32;
typedef __m128d vec64, mask64;
typedef int32_t ivec32 __attribute__((vector_size(16)));
typedef int64_t ivec64 __attribute__((vector_size(16)));
typedef uint32_t uvec32 __attribute__((vector_size(16)));
typedef uint64_t uvec64 __attribute__((vector_size(16)));

#define TILE_ROWS 4
#define V(op) FNN_CAT(_mm_##op, PSD)

#include "padded_tail.h"

#define v_splat(c) V(set1_)(c)
#define v_load(p) V(loadu_)(p)
#define v_store(p, v) V(storeu_)(p, v)

#define FMA_ROUNDS_TWICE
#define v_fma(a, b, c) ((a) * (b) + (c))
#define v_sqrt(v) V(sqrt_)(v)
#define v_max(a, b) V(max_)(a, b)
#define v_min(a, b) V(min_)(a, b)

#define v_lt(a, b) V(cmplt_)(a, b)
#define v_le(a, b) V(cmple_)(a, b)
#define v_gt(a, b) V(cmpgt_)(a, b)
#define v_ge(a, b) V(cmpge_)(a, b)
#define v_eq(a, b) V(cmpeq_)(a, b)
#define v_or(m, k) V(or_)(m, k)
#define v_select(m, a, b) V(or_)(V(and_)(m, a), V(andnot_)(m, b))

#define v_zip_low(a, b) V(unpacklo_)(a, b)
#define v_zip_high(a, b) V(unpackhi_)(a, b)

#define v_mul_low32(a, b) ((ivec64)_mm_mul_epu32((__m128i)(a), (__m128i)(b)))

/* Sums of 4 products of bytes, for kernels/int8.h: `four` of x, from 1 to 255, times 4 integers of each column at w. */
typedef __m128i int8_sums;
#define INT8_LANES 4
#define int8_zero() _mm_setzero_si128()
#define int8_store(p, acc) _mm_storeu_si128((__m128i *)(p), acc)
static inline __m128i int8_add(__m128i acc, int32_t four, const int8_t *w)
{
    const __m128i bytes = _mm_loadu_si128((const __m128i *)w), x = _mm_set1_epi32(four);
    const __m128i wide = _mm_unpacklo_epi8(x, _mm_setzero_si128()); /* the four, twice */
    const __m128 low = (__m128)_mm_madd_epi16(_mm_srai_epi16(_mm_unpacklo_epi8(bytes, bytes), 8), wide);
    const __m128 high = (__m128)_mm_madd_epi16(_mm_srai_epi16(_mm_unpackhi_epi8(bytes, bytes), 8), wide);
    const __m128i even = (__m128i)_mm_shuffle_ps(low, high, 0x88), odd = (__m128i)_mm_shuffle_ps(low, high, 0xdd);
    return _mm_add_epi32(acc, _mm_add_epi32(even, odd));
}
