/* Losses of relative errors of numbers. */

/* 100 |x - t| / max(|t|, eps); derivative 100 sign(x - t) / max(|t|, eps), 0 at 0 */
INLINE VEC LANE(mape_loss)(VEC x, VEC t, VEC *derivative, VEC eps)
{
    const VEC percent = K(100) / AT_LEAST(v_abs(t), eps);
    VEC sign;
    const VEC error = LANE(l1_loss)(x, t, &sign);
    *derivative = sign * percent;
    return error * percent;
}
FNN_DEFINE_LOSS(mape_loss, p[0])

/* (log(1 + max(x, eps)) - log(1 + max(t, eps)))^2; derivative 2 (...) / (1 + x), 0 where x is not above eps */
INLINE VEC LANE(msle_loss)(VEC x, VEC t, VEC *derivative, VEC eps)
{
    const VEC held = AT_LEAST(x, eps), d = LANE(log1p)(held) - LANE(log1p)(AT_LEAST(t, eps));
    const VEC slope = (d + d) / (K(1) + held);
    *derivative = v_select(v_le(x, eps), K(0) * slope + K(0), slope);
    return d * d;
}
FNN_DEFINE_LOSS(msle_loss, p[0])
