/* Squared errors out of range, beside the kernels of losses (kernels/losses.h). */
#ifndef REAL
#include <math.h>

#include "elements.h"

#define FNN_SOURCE "losses.c"
#include "both_dtypes.h"
FNN_BOTH(largest_error)
FNN_BOTH(scaled_errors)
#else

/* The largest |x - target| where the weight is not 0, NaN aside. */
static double FN(largest_error)(const void *x_, const void *target_, const void *weight_, ptrdiff_t n)
{
    const REAL *x = x_, *target = target_, *weight = weight_;
    double largest = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        const double error = fabs((double)x[i] - target[i]);
        if (error > largest && (weight == NULL || weight[i] != 0))
            largest = error;
    }
    return largest;
}

/* Sum of weight (scale (x - target))^2, one after the other: it is for the rare case that squares are out of range. */
static double FN(scaled_errors)(const void *x_, const void *target_, const void *weight_, ptrdiff_t n, double scale)
{
    const REAL *x = x_, *target = target_, *weight = weight_;
    double total = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        if (weight != NULL && weight[i] == 0)
            continue;
        const double error = ((double)x[i] - target[i]) * scale;
        total += weight == NULL ? error * error : weight[i] * (error * error);
    }
    return total;
}

#endif
