/* Norms whose squares are out of range: rare, so plain and slow, in double. */
#ifndef REAL
#include <math.h>

#include "elements.h"

#define FNN_SOURCE "parameters.c"
#include "both_dtypes.h"
#else

/* The largest |x|, NaN aside. */
double FN(largest_magnitude)(const REAL *x, ptrdiff_t n)
{
    double largest = 0;
    for (ptrdiff_t i = 0; i < n; i++)
        largest = fabs((double)x[i]) > largest ? fabs((double)x[i]) : largest;
    return largest;
}

/* Sum of (scale x)^2, one after the other. */
double FN(scaled_squares)(const REAL *x, ptrdiff_t n, double scale)
{
    double total = 0;
    for (ptrdiff_t i = 0; i < n; i++)
        total += (x[i] * scale) * (x[i] * scale);
    return total;
}

#endif
