/* The rows of batches: gathered in an order, or mixed with each other (fastnn/reference/mixing.py). */
#ifndef REAL
#include <string.h>

#include "elements.h"

/* Whether n numbers are all of 0 to rows - 1. */
int fnn_are_rows(const int64_t *order, ptrdiff_t n, ptrdiff_t rows)
{
    int bad = 0;
    for (ptrdiff_t i = 0; i < n; i++)
        bad |= order[i] < 0 || order[i] >= rows;
    return !bad;
}

/* out[r] = source[order[r]], rows of `row_bytes`. Rows of one number are copied without a call of memcpy. */
void fnn_gather_rows(const char *source, char *out, const int64_t *order, ptrdiff_t rows, ptrdiff_t row_bytes)
{
    if (row_bytes == 4)
        for (ptrdiff_t r = 0; r < rows; r++)
            memcpy(out + r * 4, source + order[r] * 4, 4);
    else if (row_bytes == 8)
        for (ptrdiff_t r = 0; r < rows; r++)
            memcpy(out + r * 8, source + order[r] * 8, 8);
    else
        for (ptrdiff_t r = 0; r < rows; r++)
            memcpy(out + r * row_bytes, source + order[r] * row_bytes, (size_t)row_bytes);
}

#define FNN_SOURCE "batches.c"
#include "both_dtypes.h"
FNN_BOTH(mix_pairs)
#else

/* out[r] = share source[order[r]] + (1 - share) source[partner[r]], rows of `cols` */
void FN(mix_rows)(const REAL *source, REAL *out, const int64_t *order, const int64_t *partner, ptrdiff_t rows,
                  ptrdiff_t cols, REAL share)
{
    const REAL rest = 1 - share;
    for (ptrdiff_t r = 0; r < rows; r++) {
        const REAL *a = source + order[r] * cols, *b = source + partner[r] * cols;
        REAL *restrict y = out + r * cols;
        for (ptrdiff_t j = 0; j < cols; j++)
            y[j] = share * a[j] + rest * b[j];
    }
}

/* The same of class indices, as probabilities of `classes`; the first row whose class is none, or -1. Partners are rows of
 * the same batch, so checking the first of each pair is enough. */
ptrdiff_t FN(mix_labels)(const int64_t *labels, REAL *out, const int64_t *order, const int64_t *partner, ptrdiff_t rows,
                         ptrdiff_t classes, REAL share)
{
    for (ptrdiff_t r = 0; r < rows; r++) {
        const int64_t label = fnn_read_index(labels + order[r]), other = fnn_read_index(labels + partner[r]);
        if (label < 0 || label >= classes)
            return r;
        REAL *y = out + r * classes;
        memset(y, 0, (size_t)classes * sizeof *y);
        y[label] += share;
        if (0 <= other && other < classes) /* else it is the first of another pair */
            y[other] += 1 - share;
    }
    return -1;
}

/* a = share a + (1 - share) b, of n numbers: rows that are gathered already */
static void FN(mix_pairs)(void *a_, const void *b_, ptrdiff_t n, double share_)
{
    REAL *a = a_;
    const REAL *b = b_, share = (REAL)share_, rest = 1 - share;
    for (ptrdiff_t i = 0; i < n; i++)
        a[i] = share * a[i] + rest * b[i];
}

#endif
