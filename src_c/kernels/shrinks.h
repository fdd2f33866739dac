/* Shrinks and their gradients: functions that move x towards 0, or make small x 0. */

/* x - tanh x without its cancellation: (x cosh x - sinh x) / cosh x, the quotient of two series of positive terms, for
 * |x| < 1, and (|x| - 1) + 2 e / (1 + e) with e = e^(-2 |x|) elsewhere. The derivative is tanh(x)^2. */
static const REAL FN(tanhshrink_numerator)[] = {
    (REAL)(1 / 3.0),       (REAL)(1 / 30.0),        (REAL)(1 / 840.0),      (REAL)(1 / 45360.0),
    (REAL)(1 / 3991680.0), (REAL)(1 / 518918400.0),
#if BITS == 64
    1 / 93405312000.0,     1 / 22230464256000.0,    1 / 6758061133824000.0, 1 / 2554547108585472000.0,
#endif
};
static const REAL FN(cosh_poly)[] = {
    1,
    (REAL)(1 / 2.0),
    (REAL)(1 / 24.0),
    (REAL)(1 / 720.0),
    (REAL)(1 / 40320.0),
    (REAL)(1 / 3628800.0),
#if BITS == 64
    1 / 479001600.0,
    1 / 87178291200.0,
    1 / 20922789888000.0,
    1 / 6402373705728000.0,
#endif
};
INLINE VEC LANE(tanhshrink)(VEC x)
{
    const VEC a = v_abs(x), square = a * a, e = LANE(exp_bounded)(K(-2) * a);
    const MASK small = v_lt(a, K(1));
    const VEC above = v_select(small, a * (square * POLY(square, tanhshrink_numerator)), K(2) * e);
    const VEC below = v_select(small, POLY(square, cosh_poly), K(1) + e);
    return v_copysign(v_select(small, K(0), a - K(1)) + above / below, x);
}
INLINE VEC LANE(tanhshrink_backward)(VEC g, VEC x)
{
    const VEC t = LANE(tanh)(x);
    return g * (t * t);
}
FNN_DEFINE_MAP1(tanhshrink)
FNN_DEFINE_MAP2(tanhshrink_backward)

/* x moved towards 0 by lambd, or as it is; 0 where |x| <= lambd. Both have the same gradient. */
INLINE VEC LANE(softshrink)(VEC x, VEC lambd)
{
    return v_select(v_le(v_abs(x), lambd), K(0), x - v_copysign(lambd, x));
}
INLINE VEC LANE(hardshrink)(VEC x, VEC lambd)
{
    return v_select(v_le(v_abs(x), lambd), K(0), x);
}
INLINE VEC LANE(hardshrink_backward)(VEC g, VEC x, VEC lambd)
{
    return v_select(v_le(v_abs(x), lambd), K(0), g);
}
INLINE VEC LANE(softshrink_backward)(VEC g, VEC x, VEC lambd)
{
    return LANE(hardshrink_backward)(g, x, lambd);
}
FNN_DEFINE_MAP1(softshrink, p[0])
FNN_DEFINE_MAP2(softshrink_backward, p[0])
FNN_DEFINE_MAP1(hardshrink, p[0])
FNN_DEFINE_MAP2(hardshrink_backward, p[0])
