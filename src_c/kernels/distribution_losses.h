/* Negative log-likelihoods and divergences of distributions. */

/* e^x - t x, or x - t log(x + eps) without log_input; with `full` plus log t! by Stirling's formula, where t > 1.
 * An infinite rate gives infinity for any finite t: its logarithm is less. 0 log 0 = 0. */
INLINE VEC LANE(poisson_nll_loss)(VEC x, VEC t, VEC *derivative, int log_input, int full, VEC eps)
{
    const MASK none = v_eq(t, K(0));
    VEC rate = x, log_rate = x;
    if (log_input) {
        rate = LANE(exp)(x);
        *derivative = rate - t;
    } else {
        const VEC held = x + eps, ratio = t / held;
        log_rate = LANE(log)(held);
        *derivative = K(1) - v_select(none, v_select(v_eq(held, K(0)), K(0), ratio), ratio);
    }
    log_rate = v_select(v_eq(rate, K(INFINITY)), K(0), log_rate);
    const VEC loss = v_fnma(t, LANE(counted)(t, log_rate), rate);
    if (!full)
        return loss;
    const VEC stirling = t * LANE(log)(t) - t + K(0.5) * LANE(log)(K(6.283185307179586476925) * t);
    return loss + v_select(v_le(t, K(1)), K(0), stirling);
}
FNN_DEFINE_LOSS(poisson_nll_loss, params[0] != 0, params[1] != 0, p[2])

/* t (log t - x), or e^t (t - x) with log_target; 0 where the target's probability is 0, for any x */
INLINE VEC LANE(kl_div)(VEC x, VEC t, VEC *derivative, int log_target)
{
    if (log_target) {
        const VEC p = LANE(exp)(t);
        *derivative = -p;
        return p * v_select(v_eq(p, K(0)), FINITE(t) - FINITE(x), t - x);
    }
    *derivative = -t;
    return LANE(shared)(t, LANE(log)(t)) - LANE(shared)(t, x);
}
FNN_DEFINE_LOSS(kl_div, params[0] != 0)

/* (log v + e^2 / v) / 2 plus a constant, v the variance, clamped to at least eps; derivatives e / v, and (1 - e^2 /
 * v) / (2 v) with respect to the variance, also where it is clamped */
INLINE VEC LANE(gaussian_nll_loss)(VEC x, VEC t, VEC *derivative, VEC var, VEC constant, VEC eps)
{
    const VEC v = AT_LEAST(var, eps), e = x - t;
    derivative[0] = e / v;
    derivative[1] = K(0.5) * v_fnma(e, derivative[0], K(1)) / v;
    return v_fma(K(0.5), v_fma(e, derivative[0], LANE(log)(v)), constant);
}
#define STORE_BY_VARIANCE                                                                                    \
    if (weight)                                                                                              \
        derivative[1] = LANE(counted)(scale, derivative[1]);                                                 \
    if (grad_extra)                                                                                          \
        LANE(store_n)(grad_extra + at, derivative[1] * scale, left);
FNN_DEFINE_LOSS_ALSO(gaussian_nll_loss, STORE_BY_VARIANCE, EXTRA(K(1)), K(params[0] != 0 ? 0.91893853320467274178 : 0),
                     p[1])

/* The part of half the Tweedie deviance that depends on m, the mean: t m^(1 - q) / (q - 1) - m^(2 - q) / (q - 2), q the
 * power, not 1 nor 2. Where both are infinite the one that grows faster counts. */
INLINE VEC LANE(tweedie_terms)(VEC t, VEC log_m, double power)
{
    VEC near = LANE(shared)(t, LANE(exp)(K(1 - power) * log_m)) * K(1 / (power - 1));
    VEC far = LANE(exp)(K(2 - power) * log_m) * K(1 / (2 - power));
    if (power < 2)
        near = v_select(v_eq(far, K(INFINITY)), K(0) * t, near);
    else
        far = v_select(v_eq(near, K(INFINITY)), K(0), far);
    return near + far;
}

/* The deviance of the Tweedie distribution with variance m^power, m = x or e^x with log_input; derivative 2 (m - t) m^-power,
 * times m with log_input. Powers 0, 1 and 2 are the normal, Poisson and gamma distribution; 0 log 0 = 0. */
INLINE VEC LANE(tweedie_loss)(VEC x, VEC t, VEC *derivative, double power, int log_input)
{
    const VEC m = log_input ? LANE(exp)(x) : x, none = K(INFINITY);
    const VEC log_m = log_input ? x : LANE(log)(x), e = m - t;
    if (power == 0) {
        *derivative = log_input ? (e + e) * m : e + e;
        return e * e;
    }
    const double k = log_input ? 1 : 0;
    const VEC slope = LANE(exp)(K(k - power) * log_m), alone = LANE(exp)(K(k + 1 - power) * log_m);
    const VEC bounded = v_select(v_lt(v_abs(t), none), alone, e * slope);
    const VEC large = v_select(v_eq(m, none), bounded, e * slope);
    *derivative = K(2) * v_select(v_eq(t, K(0)), alone, large);
    const VEC log_t = LANE(log)(t), held = v_select(v_eq(m, none), K(0), log_m);
    if (power == 1)
        return AT_LEAST(K(2) * (LANE(shared)(t, log_t) - LANE(shared)(t, held) - t + m), K(0)) + K(0);
    if (power == 2) {
        const VEC ratio = log_input ? t * LANE(exp)(-x) : t / m;
        return AT_LEAST(K(2) * (ratio - K(1) - v_select(v_eq(ratio, none), K(0), log_t - log_m)), K(0)) + K(0);
    }
    const VEC base = power < 0 ? AT_LEAST(t, K(0)) : t;
    const VEC own = LANE(exp)(K(2 - power) * LANE(log)(base)) * K(1 / ((1 - power) * (2 - power)));
    return AT_LEAST(K(2) * (own + LANE(tweedie_terms)(t, log_m, power)), K(0)) + K(0); /* rounding may go below */
}
FNN_DEFINE_LOSS(tweedie_loss, params[0], params[1] != 0)
