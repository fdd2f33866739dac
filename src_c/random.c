/* Random words, numbers and permutations, compiled for the baseline: all is exact, so the results are the same for all
 * instruction sets. */
#include "fastnn.h"
#if defined(__x86_64__)
#include "simd/sse2.h"
#else
#include "simd/neon.h"
#endif
#include "philox.h"

void fnn_random_uint32(uint64_t seed, uint64_t stream, uint64_t start, uint32_t *out, ptrdiff_t n)
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

/* out[i] in [0, 1) from words 2 (start + i) and 2 (start + i) + 1: 27 high bits of the first, 26 of the second. */
void fnn_random_uniform(uint64_t seed, uint64_t stream, uint64_t start, double *out, ptrdiff_t n)
{
    uint32_t words[512];
    const ptrdiff_t most = (ptrdiff_t)(sizeof words / sizeof *words / 2);
    for (ptrdiff_t done = 0; done < n; done += most) {
        const ptrdiff_t count = n - done < most ? n - done : most;
        fnn_random_uint32(seed, stream, 2 * (start + (uint64_t)done), words, 2 * count);
        for (ptrdiff_t i = 0; i < count; i++) {
            const uint64_t high = words[2 * i] >> 5, low = words[2 * i + 1] >> 6;
            out[done + i] = (double)(int64_t)(high << 26 | low) * 0x1p-53;
        }
    }
}

/* Fisher-Yates shuffle, from the end. An index is word * (i + 1) / 2^32, rounded down: its bias is below n / 2^32. */
void fnn_random_permutation(uint64_t seed, uint64_t stream, int64_t *out, ptrdiff_t n)
{
    uint32_t words[PHILOX_WORDS];
    for (ptrdiff_t i = 0; i < n; i++)
        out[i] = i;
    for (ptrdiff_t i = n - 1, drawn = 0; i > 0; i--, drawn++) {
        if (drawn % PHILOX_WORDS == 0)
            fnn_philox(seed, stream, (uint64_t)drawn / 4, words);
        const ptrdiff_t j = (ptrdiff_t)(((uint64_t)words[drawn % PHILOX_WORDS] * (uint64_t)(i + 1)) >> 32);
        const int64_t swap = out[i];
        out[i] = out[j];
        out[j] = swap;
    }
}
