/* Sums, differences, products and quotients of two arrays, and of an array and a number. */

/* x + y */
INLINE VEC LANE(add)(VEC x, VEC y)
{
    return x + y;
}
FNN_DEFINE_MAP2(add)

/* x - y */
INLINE VEC LANE(subtract)(VEC x, VEC y)
{
    return x - y;
}
FNN_DEFINE_MAP2(subtract)

/* x y */
INLINE VEC LANE(multiply)(VEC x, VEC y)
{
    return x * y;
}
FNN_DEFINE_MAP2(multiply)

/* x / y */
INLINE VEC LANE(divide)(VEC x, VEC y)
{
    return x / y;
}
FNN_DEFINE_MAP2(divide)

/* scale x + shift, each rounded: -0 as the shift leaves the sign of a product of 0 as it is */
INLINE VEC LANE(affine)(VEC x, VEC scale, VEC shift)
{
    return scale * x + shift;
}
FNN_DEFINE_MAP1(affine, p[0], p[1])

INLINE VEC LANE(affine_backward)(VEC g, VEC x, VEC scale)
{
    (void)x;
    return scale * g;
}
FNN_DEFINE_MAP2(affine_backward, p[0])

/* scale / x */
INLINE VEC LANE(reciprocal)(VEC x, VEC scale)
{
    return scale / x;
}
FNN_DEFINE_MAP1(reciprocal, p[0])

/* -g (scale / x) / x: no square, which could over- or underflow */
INLINE VEC LANE(reciprocal_backward)(VEC g, VEC x, VEC scale)
{
    return g * (scale / x / -x);
}
FNN_DEFINE_MAP2(reciprocal_backward, p[0])
