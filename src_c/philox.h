/* Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011). Word number w of
 * a stream is word w mod 4 of the block with counter (w / 4, stream), under the key seed: it depends on nothing else,
 * so any part of a stream can be computed by any thread.
 *
 * Compiled for the instruction set of the including file; integer arithmetic gives the same words for all.
 */
#ifndef FNN_PHILOX_H
#define FNN_PHILOX_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { PHILOX_BLOCKS = 16, PHILOX_WORDS = 4 * PHILOX_BLOCKS };

typedef uint64_t words64 __attribute__((vector_size(sizeof(ivec64)))); /* unsigned, for logical shifts */

/* The words of PHILOX_BLOCKS consecutive blocks, in order. A block has a 64-bit element in each of four registers,
 * of which only the low halves are used until the end. */
KERNEL_FN void fnn_philox(uint64_t seed, uint64_t stream, uint64_t block, uint32_t *words)
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
