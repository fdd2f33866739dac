/* Squares that are too large or too small for their dtype: rare, so what is done then is plain and slow, in double, and
 * the same for every instruction set. */

/* Whether sums of squares were too large or too small for their dtype: then they are taken again, of numbers times a power
 * of two. What is below SMALL counts only beside an eps as small. */
#define SMALL (BITS == 32 ? 0x1p-100 : 0x1p-950)
INLINE int LANE(out_of_range)(double squares, double n, double eps)
{
    return !(squares < INFINITY) || (squares < n * SMALL && eps < SMALL);
}

/* Of n numbers, `step` apart: their largest magnitude, NaN aside. */
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
