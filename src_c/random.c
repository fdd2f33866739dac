/* Random words and permutations outside any instruction set's region: they are integers, so one version serves all. */
#include "fastnn.h"
#include "philox.h"

void fnn_random_uint32(uint64_t seed, uint64_t stream, uint64_t start, uint32_t *out, ptrdiff_t n)
{
    fnn_random_words(seed, stream, start, out, n);
}

/* Fisher and Yates, from the top. An index is word * (i + 1) / 2^32, rounded down: its bias is below n / 2^32. */
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
