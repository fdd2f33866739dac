/* AVX2 with FMA: 8 floats or 4 doubles, comparisons as all-ones lanes. */
#include <immintrin.h>

#include "vocabulary.h"

typedef __m256 vec32, mask32;
typedef __m256d vec64, mask64;
typedef int32_t ivec32 __attribute__((vector_size(32)));
typedef int64_t ivec64 __attribute__((vector_size(32)));
typedef uint32_t uvec32 __attribute__((vector_size(32)));
typedef uint64_t uvec64 __attribute__((vector_size(32)));
typedef __m256i tail32, tail64;

#define TILE_ROWS 6
#define V(op) FNN_CAT(_mm256_##op, PSD)

/* Masks whose first n lanes are set: windows into ones followed by zeros. */
static const int32_t fnn_window32[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
static const int64_t fnn_window64[8] = {-1, -1, -1, -1};

#define v_splat(c) V(set1_)(c)
#define v_load(p) V(loadu_)(p)
#define v_store(p, v) V(storeu_)(p, v)
#define v_tail(n) _mm256_loadu_si256((const __m256i *)(FNN_CAT(fnn_window, BITS) + LANES - (n)))
#define v_load_tail(p, t) V(maskload_)(p, t)
#define v_store_tail(p, v, t) V(maskstore_)(p, t, v)
#define v_fill_tail(v, t, fill) V(blendv_)(fill, v, (VEC)(t))

#define v_fma(a, b, c) V(fmadd_)(a, b, c)
#define v_sqrt(v) V(sqrt_)(v)
#define v_max(a, b) V(max_)(a, b)
#define v_min(a, b) V(min_)(a, b)

#define v_lt(a, b) V(cmp_)(a, b, _CMP_LT_OQ)
#define v_le(a, b) V(cmp_)(a, b, _CMP_LE_OQ)
#define v_gt(a, b) V(cmp_)(a, b, _CMP_GT_OQ)
#define v_ge(a, b) V(cmp_)(a, b, _CMP_GE_OQ)
#define v_eq(a, b) V(cmp_)(a, b, _CMP_EQ_OQ)
#define v_or(m, k) V(or_)(m, k)
#define v_select(m, a, b) V(blendv_)(b, a, m)

#define V_HALVES(a, b, which) FNN_CAT(_mm256_permute2f128_, PSD)(V(unpacklo_)(a, b), V(unpackhi_)(a, b), which)
#define v_zip_low(a, b) V_HALVES(a, b, 0x20)
#define v_zip_high(a, b) V_HALVES(a, b, 0x31)

#define v_mul_low32(a, b) ((ivec64)_mm256_mul_epu32((__m256i)(a), (__m256i)(b)))

/* Sums of 4 products of bytes, for kernels/int8.h: `four` of x, from 1 to 255, times 4 integers of each column at w. */
typedef __m256i int8_sums;
#define INT8_LANES 8
#define int8_zero() _mm256_setzero_si256()
#define int8_store(p, acc) _mm256_storeu_si256((void *)(p), acc)
#define int8_add(acc, four, w)                                                                               \
    _mm256_add_epi32(acc, _mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_set1_epi32(four),                \
                                                                  _mm256_loadu_si256((const void *)(w))),  \
                                            _mm256_set1_epi16(1)))
