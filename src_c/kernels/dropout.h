/* Dropout (Srivastava et al. 2014), inverted: what is kept is scaled by 1 / (1 - p). The mask is not stored; the
 * backward pass draws the same words again. */
#include "../philox.h"

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
        fnn_philox(seed, stream, block, words);
        if (count == PHILOX_WORDS) /* so often that its length is worth knowing */
            LANE(mask)(x, y, words, PHILOX_WORDS, threshold, (REAL)scale);
        else
            LANE(mask)(x, y, words + skip, count, threshold, (REAL)scale);
        x += count;
        y += count;
        n -= count;
    }
}
