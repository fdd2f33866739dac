/* Dropout (Srivastava et al. 2014), inverted: what is kept is scaled by 1 / (1 - p). The mask is not stored; the
 * backward pass draws the same words again. */
#include "../philox.h"

/* y[i] = x[i] scale where word number start + i of the stream is at least threshold, else 0;  y may be x */
KERNEL_FN void FN(dropout)(const REAL *x, REAL *y, ptrdiff_t n, uint64_t seed, uint64_t stream, uint64_t start,
                           uint64_t threshold, double scale)
{
    uint32_t words[PHILOX_WORDS];
    for (ptrdiff_t done = 0; done < n; done += PHILOX_WORDS) {
        const ptrdiff_t count = n - done < PHILOX_WORDS ? n - done : PHILOX_WORDS;
        fnn_random_words(seed, stream, start + (uint64_t)done, words, count);
        for (ptrdiff_t i = 0; i < count; i++)
            y[done + i] = words[i] >= threshold ? x[done + i] * (REAL)scale : 0;
    }
}
