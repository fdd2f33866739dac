/* Squares that over- or underflow: a rare case, handled by simple, slow code in double that is the same for every
 * instruction set. */

/* Whether sums of squares over- or underflow their dtype: then they are computed again from the numbers times a
 * power of two. Sums below SMALL matter only if eps is as small. */
#define SMALL (BITS == 32 ? 0x1p-100 : 0x1p-950)
INLINE int LANE(out_of_range)(double squares, double n, double eps)
{
    return !(squares < INFINITY) || (squares < n * SMALL && eps < SMALL);
}

/* The largest magnitude of n numbers, `step` apart, except NaN. */
INLINE double LANE(largest)(const REAL *x, ptrdiff_t step, ptrdiff_t n)
{
    double largest = 0;
    for (ptrdiff_t i = 0; i < n; i++)
        largest = fabs((double)x[i * step]) > largest ? fabs((double)x[i * step]) : largest;
    return largest;
}

/* A power of two that brings `largest` near 1, so that its square is in range; 0 if there is none. */
INLINE double LANE(unit_scale)(double largest)
{
    int exponent;
    if (!(largest > 0 && largest < INFINITY))
        return 0;
    (void)frexp(largest, &exponent);
    return ldexp(1, exponent < -1000 ? 1000 : -exponent);
}
