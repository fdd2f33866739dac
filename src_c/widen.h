/* Conversion of narrow inputs: uint8 and float16 to float and double, times a scale. */
#ifndef FASTNN_WIDEN_H
#define FASTNN_WIDEN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The value of a float16, exactly. Its exponent is moved by a product; integers times 2^-24 are denormals, which a
   process that flushes those of float keeps this way. */
static inline float fnn_half(uint16_t half)
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

#define FNN_WIDEN(name, narrow, wide, value)                                                                           \
    static inline void name(const narrow *x, wide *y, ptrdiff_t n, double scale) {                                     \
        const wide factor = (wide)scale;                                                                               \
        for (ptrdiff_t i = 0; i < n; i++)                                                                              \
            y[i] = (wide)value(x[i]) * factor;                                                                         \
    }

FNN_WIDEN(fnn_widen_uint8_float, uint8_t, float, )
FNN_WIDEN(fnn_widen_uint8_double, uint8_t, double, )
FNN_WIDEN(fnn_widen_half_float, uint16_t, float, fnn_half)
FNN_WIDEN(fnn_widen_half_double, uint16_t, double, fnn_half)

#endif
