/* Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 * Word number w of a stream is word w mod 4 of the block with counter (w / 4, stream), under the key seed: it depends
 * on nothing else, so any part of a stream can be made by any thread at any time.
 *
 * Plain loops: integers have no rounding, and the compiler vectorises them for each instruction set.
 */
#ifndef FNN_PHILOX_H
#define FNN_PHILOX_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { PHILOX_BLOCKS = 16, PHILOX_WORDS = 4 * PHILOX_BLOCKS };

/* The words of PHILOX_BLOCKS consecutive blocks, in order. */
static __attribute__((unused)) void fnn_philox(uint64_t seed, uint64_t stream, uint64_t block, uint32_t *words)
{
    uint32_t c0[PHILOX_BLOCKS], c1[PHILOX_BLOCKS], c2[PHILOX_BLOCKS], c3[PHILOX_BLOCKS];
    for (int i = 0; i < PHILOX_BLOCKS; i++) {
        c0[i] = (uint32_t)(block + (uint64_t)i);
        c1[i] = (uint32_t)((block + (uint64_t)i) >> 32);
        c2[i] = (uint32_t)stream;
        c3[i] = (uint32_t)(stream >> 32);
    }
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u)
        for (int i = 0; i < PHILOX_BLOCKS; i++) {
            const uint64_t p0 = (uint64_t)0xD2511F53u * c0[i], p1 = (uint64_t)0xCD9E8D57u * c2[i];
            c0[i] = (uint32_t)(p1 >> 32) ^ c1[i] ^ k0;
            c1[i] = (uint32_t)p1;
            c2[i] = (uint32_t)(p0 >> 32) ^ c3[i] ^ k1;
            c3[i] = (uint32_t)p0;
        }
    for (int i = 0; i < PHILOX_BLOCKS; i++) {
        words[4 * i] = c0[i];
        words[4 * i + 1] = c1[i];
        words[4 * i + 2] = c2[i];
        words[4 * i + 3] = c3[i];
    }
}

static __attribute__((unused)) void fnn_random_words(uint64_t seed, uint64_t stream, uint64_t start, uint32_t *out,
                                                     ptrdiff_t n)
{
    uint32_t words[PHILOX_WORDS];
    ptrdiff_t skip = (ptrdiff_t)(start % 4);
    for (uint64_t block = start / 4; n > 0; block += PHILOX_BLOCKS, skip = 0) {
        fnn_philox(seed, stream, block, words);
        const ptrdiff_t count = n < PHILOX_WORDS - skip ? n : PHILOX_WORDS - skip;
        memcpy(out, words + skip, (size_t)count * sizeof *out);
        out += count;
        n -= count;
    }
}

#endif
