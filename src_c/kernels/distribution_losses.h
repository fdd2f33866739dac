/* Negative log-likelihoods and divergences of distributions. */

/* e^x - t x, or x - t log(x + eps) where x is no logarithm; with `full` also log t! by Stirling's formula, where t > 1 */
INLINE VEC LANE(poisson_nll_loss)(VEC x, VEC t, VEC *derivative, int log_input, int full, VEC eps)
{
    VEC loss, stirling = K(0);
    if (log_input) {
        const VEC rate = LANE(exp)(x);
        *derivative = rate - t;
        loss = v_fnma(t, x, rate);
    } else {
        *derivative = K(1) - t / (x + eps);
        loss = v_fnma(t, LANE(log)(x + eps), x);
    }
    if (full)
        stirling = t * LANE(log)(t) - t + K(0.5) * LANE(log)(K(6.283185307179586476925) * t);
    return loss + v_select(v_le(t, K(1)), K(0), stirling);
}
FNN_DEFINE_LOSS(poisson_nll_loss, params[0] != 0, params[1] != 0, p[2])

/* t (log t - x) with 0 log 0 = 0, or e^t (t - x) where t is a logarithm too */
INLINE VEC LANE(kl_div)(VEC x, VEC t, VEC *derivative, int log_target)
{
    if (log_target) {
        *derivative = -LANE(exp)(t);
        return -*derivative * (t - x);
    }
    *derivative = -t;
    return v_select(v_eq(t, K(0)), K(0), t * LANE(log)(t)) - t * x;
}
FNN_DEFINE_LOSS(kl_div, params[0] != 0)

/* (log v + e^2 / v) / 2 plus a constant, v the variance, held above eps; derivatives e / v, and (1 - e^2 / v) / (2 v)
 * with respect to the variance, as if it were not held */
INLINE VEC LANE(gaussian_nll_loss)(VEC x, VEC t, VEC *derivative, VEC var, VEC constant, VEC eps)
{
    const VEC v = AT_LEAST(var, eps), e = x - t;
    derivative[0] = e / v;
    derivative[1] = K(0.5) * v_fnma(e, derivative[0], K(1)) / v;
    return v_fma(K(0.5), v_fma(e, derivative[0], LANE(log)(v)), constant);
}
#define STORE_BY_VARIANCE                                                                                    \
    if (grad_extra)                                                                                          \
        LANE(store_n)(grad_extra + at, derivative[1] * (s * w), left);
FNN_DEFINE_LOSS_ALSO(gaussian_nll_loss, STORE_BY_VARIANCE, EXTRA(K(1)), K(params[0] != 0 ? 0.91893853320467274178 : 0),
                     p[1])
