/* Rows of arrays of any real dtype, converted to the numbers of a network as they are copied into a batch. Each number is
 * rounded once, as a cast in C and NumPy's astype round it. */
#ifndef REAL
#include <float.h>
#include <math.h>
#include <string.h>

#include "elements.h"

/* The value of a float16, exactly. Its exponent is moved by a product; integers times 2^-24 are denormals, which a
   process that flushes those of float keeps this way. */
static inline float half(uint16_t half)
{
    uint32_t bits = (uint32_t)(half & 0x7fff) << 13;
    float value, denormal = (float)(half & 0x3ff) * 0x1p-24f;
    memcpy(&value, &bits, sizeof value);
    value *= 0x1p112f;
    value = half & 0x7c00 ? value : denormal;
    uint32_t finite;
    memcpy(&finite, &value, sizeof finite);
    bits = (half & 0x7c00) == 0x7c00 ? bits | 0x7f800000 : finite;
    bits |= (uint32_t)(half & 0x8000) << 16;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#define FNN_SOURCE "rows.c"
#include "both_dtypes.h"
const fnn_convert *const fnn_converts[FNN_DTYPES] = {fnn_converts_f32, fnn_converts_f64};
#else

/* Whether a finite double is too large for REAL: from 0x1.ffffffp127 on it is rounded to an infinite float. */
static inline int FN(beyond)(double v)
{
    return sizeof(REAL) < sizeof v && (fabs(v) >= 0x1.ffffffp127) & (fabs(v) <= DBL_MAX);
}

/* y[r] = x[order[r]], rows of `cols`; without an order, x[r]. The rows of x, and the numbers in a row, are so many bytes
 * apart, in any alignment. Returns whether a finite number was too large, and is infinite in y. */
#define FNN_CONVERT(name, TYPE, value, beyond)                                                               \
    static int FN(from_##name)(const char *x, ptrdiff_t row_stride, ptrdiff_t col_stride, const int64_t *order, \
                               void *y_, ptrdiff_t rows, ptrdiff_t cols, double scale)                       \
    {                                                                                                        \
        REAL *restrict y = y_;                                                                               \
        const REAL factor = (REAL)scale;                                                                     \
        int over = 0;                                                                                        \
        (void)factor;                                                                                        \
        for (ptrdiff_t r = 0; r < rows; r++, y += cols) {                                                    \
            const char *row = x + (order == NULL ? r : order[r]) * row_stride;                               \
            if (col_stride == (ptrdiff_t)sizeof(TYPE)) /* a loop for whole registers */                      \
                for (ptrdiff_t j = 0; j < cols; j++) {                                                       \
                    TYPE v;                                                                                  \
                    memcpy(&v, row + j * (ptrdiff_t)sizeof v, sizeof v);                                     \
                    y[j] = (value);                                                                          \
                    over |= (beyond);                                                                        \
                }                                                                                            \
            else                                                                                             \
                for (ptrdiff_t j = 0; j < cols; j++) {                                                       \
                    TYPE v;                                                                                  \
                    memcpy(&v, row + j * col_stride, sizeof v);                                              \
                    y[j] = (value);                                                                          \
                    over |= (beyond);                                                                        \
                }                                                                                            \
        }                                                                                                    \
        return over;                                                                                         \
    }

FNN_CONVERT(bool, uint8_t, v != 0, 0)
FNN_CONVERT(int8, int8_t, (REAL)v *factor, 0)
FNN_CONVERT(uint8, uint8_t, (REAL)v *factor, 0)
FNN_CONVERT(int16, int16_t, (REAL)v *factor, 0)
FNN_CONVERT(uint16, uint16_t, (REAL)v *factor, 0)
FNN_CONVERT(int32, int32_t, (REAL)v *factor, 0)
FNN_CONVERT(uint32, uint32_t, (REAL)v *factor, 0)
FNN_CONVERT(int64, int64_t, (REAL)v *factor, 0)
FNN_CONVERT(uint64, uint64_t, (REAL)v *factor, 0)
FNN_CONVERT(float16, uint16_t, (REAL)half(v) * factor, 0)
FNN_CONVERT(float32, float, (REAL)v, 0)
FNN_CONVERT(float64, double, (REAL)v, FN(beyond)(v))
#undef FNN_CONVERT

/* In the order of the sources in elements.h. */
static const fnn_convert FN(converts)[FNN_SOURCES] = {
    FN(from_bool),   FN(from_int8),  FN(from_uint8),  FN(from_int16),   FN(from_uint16),  FN(from_int32),
    FN(from_uint32), FN(from_int64), FN(from_uint64), FN(from_float16), FN(from_float32), FN(from_float64),
};

#endif
