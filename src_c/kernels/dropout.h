/* Dropout (Srivastava et al. 2014), inverted: what is kept is scaled by 1 / (1 - p). The mask is not stored; the
 * backward pass draws the same words again. */
#include "../philox.h"

/* fnn_philox with a block in each 64-bit element; only their low halves count until the end. */
#ifndef FNN_PHILOX_LANES
#define FNN_PHILOX_LANES
typedef uint64_t words64 __attribute__((vector_size(sizeof(ivec64)))); /* shifts of unsigned numbers are cheap */

KERNEL_FN void fnn_philox_lanes(uint64_t seed, uint64_t stream, uint64_t block, uint32_t *words)
{
    enum { BLOCKS = sizeof(words64) / 8, VECS = PHILOX_BLOCKS / BLOCKS };
    const words64 zero = {0}, low = zero + 0xFFFFFFFF;
    const words64 m0 = zero + 0xD2511F53, m1 = zero + 0xCD9E8D57;
    words64 c0[VECS], c1[VECS], c2[VECS], c3[VECS];
    for (int v = 0; v < VECS; v++) {
        for (int i = 0; i < BLOCKS; i++)
            c0[v][i] = block + (uint64_t)(v * BLOCKS + i);
        c1[v] = c0[v] >> 32;
        c2[v] = zero + stream;
        c3[v] = zero + (stream >> 32);
    }
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u)
        UNROLL for (int v = 0; v < VECS; v++)
        {
            const words64 p0 = (words64)v_mul_low32(m0, c0[v]), p1 = (words64)v_mul_low32(m1, c2[v]);
            c0[v] = (p1 >> 32) ^ c1[v] ^ k0;
            c1[v] = p1;
            c2[v] = (p0 >> 32) ^ c3[v] ^ k1;
            c3[v] = p0;
        }
    for (int v = 0; v < VECS; v++) {
        const words64 even = (c0[v] & low) | c1[v] << 32, odd = (c2[v] & low) | c3[v] << 32;
        for (int i = 0; i < BLOCKS; i++) {
            memcpy(words + 4 * (v * BLOCKS + i), (const char *)&even + 8 * i, 8);
            memcpy(words + 4 * (v * BLOCKS + i) + 2, (const char *)&odd + 8 * i, 8);
        }
    }
}
#endif

INLINE void LANE(mask)(const REAL *x, REAL *y, const uint32_t *words, ptrdiff_t n, uint64_t threshold, REAL scale)
{
    for (ptrdiff_t i = 0; i < n; i++)
        y[i] = words[i] >= threshold ? x[i] * scale : 0;
}

/* y[i] = x[i] scale where word number start + i of the stream is at least threshold, else 0;  y may be x */
KERNEL_FN void FN(dropout)(const REAL *x, REAL *y, ptrdiff_t n, uint64_t seed, uint64_t stream, uint64_t start,
                           uint64_t threshold, double scale)
{
    uint32_t words[PHILOX_WORDS];
    ptrdiff_t skip = (ptrdiff_t)(start % 4);
    for (uint64_t block = start / 4; n > 0; block += PHILOX_BLOCKS, skip = 0) {
        const ptrdiff_t count = n < PHILOX_WORDS - skip ? n : PHILOX_WORDS - skip;
        fnn_philox_lanes(seed, stream, block, words);
        if (count == PHILOX_WORDS) /* so often that its length is worth knowing */
            LANE(mask)(x, y, words, PHILOX_WORDS, threshold, (REAL)scale);
        else
            LANE(mask)(x, y, words + skip, count, threshold, (REAL)scale);
        x += count;
        y += count;
        n -= count;
    }
}
