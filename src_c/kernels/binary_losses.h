/* Losses of logits and probabilities of two classes. Targets are in [0, 1], except for the hinge and soft margin
 * losses, whose targets are -1 and 1. */

/* -(t log x + (1 - t) log(1 - x)), logarithms clamped to at least -100 as in PyTorch;
 * derivative (x - t) / max(x (1 - x), 1e-12), NaN where x is not in [0, 1], as the loss is */
INLINE VEC LANE(binary_cross_entropy)(VEC x, VEC t, VEC *derivative)
{
    const VEC log_x = AT_LEAST(LANE(log)(x), K(-100)), log_1mx = AT_LEAST(LANE(log1p)(-x), K(-100));
    const VEC variance = x * (K(1) - x);
    *derivative = v_select(v_lt(variance, K(0)), K(NAN), (x - t) / AT_LEAST(variance, K(1e-12)));
    return (t - K(1)) * log_1mx - t * log_x;
}
FNN_DEFINE_LOSS(binary_cross_entropy)

/* log(1 + e^-|x|) */
INLINE VEC LANE(soft_part)(VEC x)
{
    return LANE(log1p)(LANE(exp)(-v_abs(x)));
}

/* t log(1 + e^-x) + (1 - t) log(1 + e^x) = |x| (x < 0 ? t : 1 - t) + log(1 + e^-|x|); derivative sigmoid(x) - t */
INLINE VEC LANE(binary_cross_entropy_with_logits)(VEC x, VEC t, VEC *derivative)
{
    *derivative = LANE(sigmoid)(x) - t;
    return LANE(shared)(v_select(v_lt(x, K(0)), t, K(1) - t), v_abs(x)) + LANE(soft_part)(x);
}
FNN_DEFINE_LOSS(binary_cross_entropy_with_logits)

/* The same with w t in place of the first t, w being pos_weight */
INLINE VEC LANE(binary_cross_entropy_with_logits_pos_weight)(VEC x, VEC t, VEC *derivative, VEC w)
{
    const VEC wt = w * t, rest = K(1) - t;
    *derivative = rest * LANE(sigmoid)(x) - wt * LANE(sigmoid)(-x);
    const VEC linear = LANE(shared)(v_select(v_lt(x, K(0)), wt, rest), v_abs(x));
    return v_fma(rest + wt, LANE(soft_part)(x), linear);
}
FNN_DEFINE_LOSS(binary_cross_entropy_with_logits_pos_weight, EXTRA(p[0]))

/* u^e, u not negative; 1 where e is 0 */
INLINE VEC LANE(power)(VEC u, VEC e)
{
    return v_select(v_eq(e, K(0)), K(1), LANE(exp)(e * LANE(log)(u)));
}

/* Cross-entropy times m^gamma and times alpha t + (1 - alpha) (1 - t), unless alpha < 0. m = (1 - t) p + t (1 - p)
 * is the probability that p = sigmoid(x) does not assign to the target; its derivative is (1 - 2 t) p (1 - p). */
INLINE VEC LANE(sigmoid_focal_loss)(VEC x, VEC t, VEC *derivative, VEC alpha, VEC gamma)
{
    VEC slope;
    const VEC loss = LANE(binary_cross_entropy_with_logits)(x, t, &slope);
    const VEC p = LANE(sigmoid)(x), rest = LANE(sigmoid)(-x), m = p * (K(1) - t) + rest * t;
    const VEC balance = v_select(v_lt(alpha, K(0)), K(1), alpha * t + (K(1) - alpha) * (K(1) - t));
    const VEC ratio = v_select(v_eq(m, K(0)), K(0), p * rest / m), weight = balance * LANE(power)(m, gamma);
    /* Where the loss is infinite the ratio is 0; the bound avoids their product NaN. */
    *derivative = weight * (slope + gamma * (v_min(K(1e30), loss) * ((K(1) - K(2) * t) * ratio)));
    return LANE(shared)(weight, loss);
}
FNN_DEFINE_LOSS(sigmoid_focal_loss, p[0], p[1])

/* g = max(0, gap) and its derivative, or of g^2; 0 where g is 0 */
INLINE VEC LANE(margin_loss)(VEC gap, VEC *derivative, int squared)
{
    const VEC g = AT_LEAST(gap, K(0));
    *derivative = v_select(v_gt(g, K(0)), K(1), g);
    if (!squared)
        return g;
    *derivative = g + g;
    return g * g;
}

/* max(0, margin - t x), or its square; derivative -t, or twice that times the loss */
INLINE VEC LANE(hinge_loss)(VEC x, VEC t, VEC *derivative, VEC margin, int squared)
{
    VEC slope;
    const VEC loss = LANE(margin_loss)(v_fnma(t, x, margin), &slope, squared);
    *derivative = -t * slope;
    return loss;
}
FNN_DEFINE_LOSS(hinge_loss, p[0], params[1] != 0)

/* log(1 + e^-z), z = t x; derivative -t sigmoid(-z) */
INLINE VEC LANE(soft_margin_loss)(VEC x, VEC t, VEC *derivative)
{
    const VEC z = t * x;
    *derivative = -t * LANE(sigmoid)(-z);
    return AT_LEAST(-z, K(0)) + LANE(soft_part)(z);
}
FNN_DEFINE_LOSS(soft_margin_loss)
