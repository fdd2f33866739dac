/* Activations with trainable parameters: a slope for each column or one for all (prelu), a temperature. The gradient of
 * a slope is the sum of g x over its x <= 0: one chain over the rows of its column, or a reduction over all elements.
 */

/* x, or weight x for x <= 0, with a weight a column. With one for all it is leaky_relu. */
KERNEL_FN void FN(prelu)(const void *x_, const void *weight_, void *y_, ptrdiff_t rows, ptrdiff_t n)
{
    const REAL *x = x_, *weight = weight_;
    REAL *y = y_;
    const double params[3] = {0};
    for (ptrdiff_t r = 0; r < rows; r++, x += n, y += n)
        FNN_MAP(LANE(leaky_relu)(READ(x), READ(weight)))
}
KERNEL_FN void FN(prelu_backward)(const void *g_, const void *x_, const void *weight_, void *y_, ptrdiff_t rows,
                                  ptrdiff_t n)
{
    const REAL *g = g_, *x = x_, *weight = weight_;
    REAL *y = y_;
    const double params[3] = {0};
    for (ptrdiff_t r = 0; r < rows; r++, g += n, x += n, y += n)
        FNN_MAP(LANE(leaky_relu_backward)(READ(g), READ(x), READ(weight)))
}

/* out[i] = init[i] + sum_r g[r, i] x[r, i] over x <= 0;  init NULL for 0 */
KERNEL_FN void FN(prelu_slopes)(const void *x_, const void *g_, ptrdiff_t stride, const void *init_, void *out_,
                                ptrdiff_t rows, ptrdiff_t cols)
{
    const REAL *x = x_, *g = g_, *init = init_;
    REAL *out = out_;
    for (ptrdiff_t i = 0; i < cols; i += LANES) {
        const ptrdiff_t left = cols - i;
        VEC sum = init ? LANE(load_n)(init + i, left, K(0)) : K(0);
        for (ptrdiff_t r = 0; r < rows; r++) {
            const VEC xi = LANE(load_n)(x + r * stride + i, left, K(0));
            sum = v_select(v_gt(xi, K(0)), sum, v_fma(xi, LANE(load_n)(g + r * stride + i, left, K(0)), sum));
        }
        LANE(store_n)(out + i, sum, left);
    }
}
KERNEL_FN double FN(prelu_slope)(const void *x_, const void *g_, ptrdiff_t n)
{
    const REAL *x = x_, *g = g_;
    double total = 0;
    FNN_SUM_UP(total, n, SEGMENT, const VEC xi = LANE(load_n)(x + at, left, K(0));
               const VEC product = xi * LANE(load_n)(g + at, left, K(0));
               sum.part[j] += v_select(v_gt(xi, K(0)), K(0), product);)
    return total;
}

/* x / temperature, and its gradient likewise */
INLINE VEC LANE(temperature_scale)(VEC x, VEC temperature)
{
    return x / temperature;
}
FNN_DEFINE_MAP1(temperature_scale, p[0])
