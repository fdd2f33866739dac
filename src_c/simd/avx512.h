/* AVX-512 (F, DQ, VL, BW): 16 floats or 8 doubles, comparisons in mask registers. */
#include <immintrin.h>

#include "vocabulary.h"

typedef __m512 vec32;
typedef __m512d vec64;
typedef int32_t ivec32 __attribute__((vector_size(64)));
typedef int64_t ivec64 __attribute__((vector_size(64)));
typedef uint32_t uvec32 __attribute__((vector_size(64)));
typedef uint64_t uvec64 __attribute__((vector_size(64)));
typedef __mmask16 mask32, tail32;
typedef __mmask8 mask64, tail64;

#define TILE_ROWS 12
#define V(op) FNN_CAT(_mm512_##op, PSD)

#define v_splat(c) V(set1_)(c)
#define v_load(p) V(loadu_)(p)
#define v_store(p, v) V(storeu_)(p, v)
#define v_tail(n) ((TAIL)(((uint32_t)1 << (n)) - 1))
#define v_load_tail(p, t) V(maskz_loadu_)(t, p)
#define v_store_tail(p, v, t) V(mask_storeu_)(p, t, v)
#define v_fill_tail(v, t, fill) V(mask_blend_)(t, fill, v)

#define v_fma(a, b, c) V(fmadd_)(a, b, c)
#define v_sqrt(v) V(sqrt_)(v)
#define v_scalef(v, n) V(scalef_)(v, n)
#define v_max(a, b) V(max_)(a, b)
#define v_min(a, b) V(min_)(a, b)

#define V_CMP(a, b, rule) FNN_CAT(V(cmp_), _mask)(a, b, rule)
#define v_lt(a, b) V_CMP(a, b, _CMP_LT_OQ)
#define v_le(a, b) V_CMP(a, b, _CMP_LE_OQ)
#define v_gt(a, b) V_CMP(a, b, _CMP_GT_OQ)
#define v_ge(a, b) V_CMP(a, b, _CMP_GE_OQ)
#define v_eq(a, b) V_CMP(a, b, _CMP_EQ_OQ)
#define v_or(m, k) ((MASK)((m) | (k)))
#define v_select(m, a, b) V(mask_blend_)(m, b, a)

/* Pairs from the low and from the high halves. */
static const int32_t fnn_zip32[2][16] = {{0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23},
                                         {8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31}};
static const int64_t fnn_zip64[2][8] = {{0, 8, 1, 9, 2, 10, 3, 11}, {4, 12, 5, 13, 6, 14, 7, 15}};
#define V_ZIP(a, b, half) V(permutex2var_)(a, _mm512_loadu_si512(FNN_CAT(fnn_zip, BITS)[half]), b)
#define v_zip_low(a, b) V_ZIP(a, b, 0)
#define v_zip_high(a, b) V_ZIP(a, b, 1)

#define v_mul_low32(a, b) ((ivec64)_mm512_mul_epu32((__m512i)(a), (__m512i)(b)))

/* Sums of 4 products of bytes, for kernels/int8.h: `four` of x, from 1 to 255, times 4 integers of each column at w. */
typedef __m512i int8_sums;
#define INT8_LANES 16
#define int8_zero() _mm512_setzero_si512()
#define int8_store(p, acc) _mm512_storeu_si512((void *)(p), acc)
#define int8_add(acc, four, w)                                                                               \
    _mm512_add_epi32(acc, _mm512_madd_epi16(_mm512_maddubs_epi16(_mm512_set1_epi32(four),                \
                                                                  _mm512_loadu_si512((const void *)(w))),  \
                                            _mm512_set1_epi16(1)))
