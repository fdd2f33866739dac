/* Some columns of a matrix: picked, and their gradient put back; copied, repeated, or read as labels. */
#ifndef REAL
#include <string.h>

#include "elements.h"

#define FNN_SOURCE "columns.c"
#include "both_dtypes.h"
FNN_BOTH(gather)
FNN_BOTH(scatter)
FNN_BOTH(copy_columns)
FNN_BOTH(expand_columns)
FNN_BOTH(read_labels)
#else

/* y[r, j] = x[r, index[j]], for x (rows, n_in) and y (rows, n_out) */
static void FN(gather)(const void *x_, const int64_t *index, void *y_, ptrdiff_t rows, ptrdiff_t n_in, ptrdiff_t n_out)
{
    const REAL *x = x_;
    REAL *y = y_;
    for (ptrdiff_t r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (ptrdiff_t j = 0; j < n_out; j++)
            y[r * n_out + j] = x[r * n_in + index[j]];
}

/* grad_x[r, index[j]] += g[r, j], from 0, for j ascending: an index may be there several times */
static void FN(scatter)(const void *g_, const int64_t *index, void *grad_x_, ptrdiff_t rows, ptrdiff_t n_in,
                        ptrdiff_t n_out)
{
    const REAL *g = g_;
    REAL *grad_x = grad_x_;
    memset(grad_x, 0, (size_t)(rows * n_in) * sizeof *grad_x);
    for (ptrdiff_t r = 0; r < rows; r++)
        for (ptrdiff_t j = 0; j < n_out; j++)
            grad_x[r * n_in + index[j]] += g[r * n_out + j];
}

/* y[r, j] = scale x[r, j], rows of x and y being so many numbers apart */
static void FN(copy_columns)(const void *x_, ptrdiff_t x_stride, void *y_, ptrdiff_t y_stride, double scale,
                             ptrdiff_t rows, ptrdiff_t cols)
{
    const REAL *x = x_;
    REAL *y = y_;
    const REAL factor = (REAL)scale;
    for (ptrdiff_t r = 0; r < rows; r++, x += x_stride, y += y_stride)
        if (factor == 1)
            memcpy(y, x, (size_t)cols * sizeof *y);
        else
            for (ptrdiff_t j = 0; j < cols; j++)
                y[j] = factor * x[j];
}

/* y[r, j] = x[r], for y (rows, cols) */
static void FN(expand_columns)(const void *x_, void *y_, ptrdiff_t rows, ptrdiff_t cols)
{
    const REAL *x = x_;
    REAL *y = y_;
    for (ptrdiff_t r = 0; r < rows; r++, y += cols)
        for (ptrdiff_t j = 0; j < cols; j++)
            y[j] = x[r];
}

/* labels[r] = x[r, 0], rows being `stride` numbers apart */
static void FN(read_labels)(const void *x_, ptrdiff_t stride, int64_t *labels, ptrdiff_t rows)
{
    const REAL *x = x_;
    for (ptrdiff_t r = 0; r < rows; r++)
        labels[r] = (int64_t)x[r * stride];
}

#endif
