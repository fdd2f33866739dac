/* From narrow inputs to the numbers of a network: uint8 and float16 to float and double, times a scale. */
#ifndef REAL
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
FNN_BOTH(widen_uint8)
FNN_BOTH(widen_half)
#else

/* y[r] = scale x[order[r]], rows of `cols`; without an order, scale x[r] */
static void FN(widen_uint8)(const void *x_, const int64_t *order, void *y_, ptrdiff_t rows, ptrdiff_t cols,
                            double scale)
{
    const uint8_t *x = x_;
    REAL *y = y_;
    const REAL factor = (REAL)scale;
    for (ptrdiff_t r = 0; r < rows; r++) {
        const uint8_t *row = x + (order == NULL ? r : order[r]) * cols;
        for (ptrdiff_t j = 0; j < cols; j++)
            y[r * cols + j] = (REAL)row[j] * factor;
    }
}

/* The same for float16. */
static void FN(widen_half)(const void *x_, const int64_t *order, void *y_, ptrdiff_t rows, ptrdiff_t cols, double scale)
{
    const uint16_t *x = x_;
    REAL *y = y_;
    const REAL factor = (REAL)scale;
    for (ptrdiff_t r = 0; r < rows; r++) {
        const uint16_t *row = x + (order == NULL ? r : order[r]) * cols;
        for (ptrdiff_t j = 0; j < cols; j++)
            y[r * cols + j] = (REAL)half(row[j]) * factor;
    }
}

#endif
