/* Some columns of a matrix: picked, and their gradient put back. */
#ifndef REAL
#include <string.h>

#include "elements.h"

#define FNN_SOURCE "columns.c"
#include "both_dtypes.h"
#else

/* y[r, j] = x[r, index[j]], for x (rows, n_in) and y (rows, n_out) */
void FN(gather)(const REAL *x, const int64_t *index, REAL *y, ptrdiff_t rows, ptrdiff_t n_in, ptrdiff_t n_out)
{
    for (ptrdiff_t r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (ptrdiff_t j = 0; j < n_out; j++)
            y[r * n_out + j] = x[r * n_in + index[j]];
}

/* grad_x[r, index[j]] += g[r, j], from 0, for j ascending: an index may be there several times */
void FN(scatter)(const REAL *g, const int64_t *index, REAL *grad_x, ptrdiff_t rows, ptrdiff_t n_in, ptrdiff_t n_out)
{
    memset(grad_x, 0, (size_t)(rows * n_in) * sizeof *grad_x);
    for (ptrdiff_t r = 0; r < rows; r++)
        for (ptrdiff_t j = 0; j < n_out; j++)
            grad_x[r * n_in + index[j]] += g[r * n_out + j];
}

#endif
