/* Activations and their gradients, side by side. A gradient takes the gradient g with respect to the output and, for
 * sigmoid, tanh and exp, the output y; for all others the input x.
 *
 * Clamps are written so that NaN passes through: v_max(0, x) returns NaN for x = NaN, v_max(x, 0) would return 0. x is
 * clamped to +-1e30 where the product of an infinite x and a factor that is 0 would be NaN: x * sigmoid(x) is -0, its
 * limit, at -infinity.
 */
#define CLAMP(x, low, high) v_min(high, v_max(low, x))
#define AT_LEAST(x, low) v_max(low, x)
#define FINITE(x) CLAMP(x, K(-1e30), K(1e30))

/* 1 / (1 + e^-x), in math.h */
INLINE VEC LANE(sigmoid_backward)(VEC g, VEC y)
{
    return g * (y * (K(1) - y));
}
FNN_DEFINE_MAP1(sigmoid)
FNN_DEFINE_MAP2(sigmoid_backward)

/* tanh x, in math.h */
INLINE VEC LANE(tanh_backward)(VEC g, VEC y)
{
    return g * v_fnma(y, y, K(1));
}
FNN_DEFINE_MAP1(tanh)
FNN_DEFINE_MAP2(tanh_backward)

/* max(0, x) */
INLINE VEC LANE(relu)(VEC x)
{
    return AT_LEAST(x, K(0));
}
INLINE VEC LANE(relu_backward)(VEC g, VEC x)
{
    return v_select(v_le(x, K(0)), K(0), g);
}
FNN_DEFINE_MAP1(relu)
FNN_DEFINE_MAP2(relu_backward)

/* x, or slope x for x <= 0 */
INLINE VEC LANE(leaky_relu)(VEC x, VEC slope)
{
    return v_select(v_gt(x, K(0)), x, x * slope);
}
INLINE VEC LANE(leaky_relu_backward)(VEC g, VEC x, VEC slope)
{
    return v_select(v_gt(x, K(0)), g, g * slope);
}
FNN_DEFINE_MAP1(leaky_relu, p[0])
FNN_DEFINE_MAP2(leaky_relu_backward, p[0])

/* x, or alpha (e^x - 1) for x <= 0 */
INLINE VEC LANE(elu)(VEC x, VEC alpha)
{
    return v_select(v_gt(x, K(0)), x, alpha * LANE(expm1)(x));
}
INLINE VEC LANE(elu_backward)(VEC g, VEC x, VEC alpha)
{
    return v_select(v_gt(x, K(0)), g, g * (alpha * LANE(exp_bounded)(v_min(K(0), x))));
}
FNN_DEFINE_MAP1(elu, p[0])
FNN_DEFINE_MAP2(elu_backward, p[0])

/* scale elu(x, alpha), with the constants of Klambauer et al. 2017 that keep mean 0 and variance 1 */
#define SELU_ALPHA K(1.6732632423543772848170429916717)
#define SELU_SCALE K(1.0507009873554804934193349852946)
INLINE VEC LANE(selu)(VEC x)
{
    return SELU_SCALE * LANE(elu)(x, SELU_ALPHA);
}
INLINE VEC LANE(selu_backward)(VEC g, VEC x)
{
    return SELU_SCALE * LANE(elu_backward)(g, x, SELU_ALPHA);
}
FNN_DEFINE_MAP1(selu)
FNN_DEFINE_MAP2(selu_backward)

/* x, or alpha (e^(x / alpha) - 1) for x <= 0 */
INLINE VEC LANE(celu)(VEC x, VEC alpha)
{
    return v_select(v_gt(x, K(0)), x, alpha * LANE(expm1)(x / alpha));
}
INLINE VEC LANE(celu_backward)(VEC g, VEC x, VEC alpha)
{
    return v_select(v_gt(x, K(0)), g, g * LANE(exp)(x / alpha));
}
FNN_DEFINE_MAP1(celu, p[0])
FNN_DEFINE_MAP2(celu_backward, p[0])

/* x Phi(x), Phi the normal distribution function: max(x, 0) - a Phi(-a) with a = |x|. The derivative Phi(x) + x phi(x)
 * is s = Phi(-a) - a phi(a) for x < 0 and 1 - s elsewhere; both terms of s have the factor exp(-a^2 / 2). */
#define INV_SQRT_2PI K(0.39894228040143267793994605993438)
INLINE VEC LANE(gelu)(VEC x)
{
    const VEC a = v_min(K(FN(tail_end)), v_abs(x));
    return AT_LEAST(x, K(-0.0)) - LANE(gaussian)(a, 0.5, a * LANE(tail_ratio)(a));
}
INLINE VEC LANE(gelu_backward)(VEC g, VEC x)
{
    const VEC a = v_min(K(FN(tail_end)), v_abs(x));
    const VEC s = LANE(gaussian)(a, 0.5, v_fnma(a, INV_SQRT_2PI, LANE(tail_ratio)(a)));
    return g * v_select(v_lt(x, K(0)), K(0) + s, K(1) - s); /* + 0, so that s = -0 does not give -0 */
}
FNN_DEFINE_MAP1(gelu)
FNN_DEFINE_MAP2(gelu_backward)

/* sigmoid(x), and 1 - sigmoid(x) without cancellation */
INLINE VEC LANE(sigmoid_both)(VEC x, VEC *complement)
{
    const VEC e = LANE(exp_bounded)(-v_abs(x));
    const VEC large = K(1) / (K(1) + e), small = e * large;
    const MASK negative = v_lt(x, K(0));
    *complement = v_select(negative, large, small);
    return v_select(negative, small, large);
}

/* x sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3), which is 0.5 x (1 + tanh u) without its cancellation.
 * Beyond +-100 the sigmoid is 0 or 1 in both dtypes. */
#define GELU_TANH_SCALE K(1.5957691216057307117597842397375) /* 2 sqrt(2 / pi) */
#define GELU_TANH_CUBIC K(0.044715)
INLINE VEC LANE(gelu_tanh)(VEC x)
{
    const VEC c = CLAMP(x, K(-100), K(100));
    const VEC argument = GELU_TANH_SCALE * (c * v_fma(GELU_TANH_CUBIC * c, c, K(1)));
    return AT_LEAST(x, K(-1e30)) * LANE(sigmoid)(argument);
}
INLINE VEC LANE(gelu_tanh_backward)(VEC g, VEC x)
{
    const VEC c = CLAMP(x, K(-100), K(100));
    const VEC square = GELU_TANH_CUBIC * c * c;
    VEC complement;
    const VEC s = LANE(sigmoid_both)(GELU_TANH_SCALE * (c * (K(1) + square)), &complement);
    const VEC slope = GELU_TANH_SCALE * v_fma(K(3), square, K(1));
    return g * (s * v_fma(c * complement, slope, K(1)));
}
FNN_DEFINE_MAP1(gelu_tanh)
FNN_DEFINE_MAP2(gelu_tanh_backward)

/* e^x = power 2^n for x below 40. Factors are multiplied before 2^n, since the result may be denormal. Below
 * GATE_START even x e^x is 0. */
#define GATE_START (EXP_START - 7.2)
INLINE VEC LANE(exp_power)(VEC x, VEC *shifted)
{
    VEC rest;
    const VEC head = LANE(exp_parts)(x, &rest, shifted);
    return K(1) + (head + rest);
}

/* x sigmoid(x): x e^x / (1 + e^x) for x < 0, x / (1 + e^-x) elsewhere */
INLINE VEC LANE(silu)(VEC x)
{
    VEC shifted;
    const VEC c = AT_LEAST(x, K(GATE_START));
    const VEC power = LANE(exp_power)(v_max(K(GATE_START), -v_abs(c)), &shifted);
    const VEC small = LANE(scale_down)(power * c, shifted);
    return v_select(v_lt(x, K(0)), small, x) / (K(1) + LANE(scale_down)(power, shifted));
}
INLINE VEC LANE(silu_backward)(VEC g, VEC x)
{
    VEC shifted;
    const VEC c = CLAMP(x, K(GATE_START), K(-GATE_START));
    const MASK negative = v_lt(c, K(0));
    const VEC power = LANE(exp_power)(-v_abs(c), &shifted);
    const VEC e = LANE(scale_down)(power, shifted), large = K(1) / (K(1) + e);
    const VEC slope = v_fma(c, v_select(negative, large, e * large), K(1));
    return g * (v_select(negative, LANE(scale_down)(power * slope, shifted), slope) * large);
}
FNN_DEFINE_MAP1(silu)
FNN_DEFINE_MAP2(silu_backward)

/* x tanh(log(1 + e^x)) = x n / (n + 2) with n = e^x (e^x + 2); from 22 on the factor is 1 in both dtypes.
 * Derivative: e^x ((e^x + 2) (n + 2) + 4 x (1 + e^x)) / (n + 2)^2 */
INLINE VEC LANE(mish)(VEC x)
{
    VEC shifted;
    const VEC c = CLAMP(x, K(GATE_START), K(22));
    const VEC power = LANE(exp_power)(c, &shifted);
    const VEC e = LANE(scale_down)(power, shifted), n = e * (e + K(2));
    const MASK negative = v_lt(x, K(0));
    const VEC gate = v_select(negative, e + K(2), n) / (n + K(2));
    return v_select(negative, LANE(scale_down)(power * c, shifted), x) * gate;
}
INLINE VEC LANE(mish_backward)(VEC g, VEC x)
{
    VEC shifted;
    const VEC c = CLAMP(x, K(GATE_START), K(22));
    const VEC power = LANE(exp_power)(c, &shifted);
    const VEC e = LANE(scale_down)(power, shifted), d = v_fma(e, e + K(2), K(2));
    const VEC slope = v_fma(e + K(2), d, K(4) * c * (K(1) + e)) / (d * d);
    return g * LANE(scale_down)(power * slope, shifted);
}
FNN_DEFINE_MAP1(mish)
FNN_DEFINE_MAP2(mish_backward)

/* log(1 + e^(beta x)) / beta, or x where beta x > threshold */
INLINE VEC LANE(softplus)(VEC x, VEC beta, VEC threshold)
{
    const VEC bx = beta * x;
    const VEC soft = AT_LEAST(bx, K(0)) + LANE(log1p)(LANE(exp_bounded)(-v_abs(bx)));
    return v_select(v_gt(bx, threshold), x, soft / beta);
}
INLINE VEC LANE(softplus_backward)(VEC g, VEC x, VEC beta, VEC threshold)
{
    const VEC bx = beta * x;
    return v_select(v_gt(bx, threshold), g, g * LANE(sigmoid)(bx));
}
FNN_DEFINE_MAP1(softplus, p[0], p[1])
FNN_DEFINE_MAP2(softplus_backward, p[0], p[1])

/* x / (1 + |x|) */
INLINE VEC LANE(softsign)(VEC x)
{
    const VEC c = FINITE(x);
    return c / (K(1) + v_abs(c));
}
INLINE VEC LANE(softsign_backward)(VEC g, VEC x)
{
    const VEC d = K(1) + v_abs(x);
    return g / (d * d);
}
FNN_DEFINE_MAP1(softsign)
FNN_DEFINE_MAP2(softsign_backward)

/* x clamped to [low, high]; the gradient is 0 at the bounds too, as in PyTorch */
INLINE VEC LANE(hardtanh)(VEC x, VEC low, VEC high)
{
    return CLAMP(x, low, high);
}
INLINE VEC LANE(hardtanh_backward)(VEC g, VEC x, VEC low, VEC high)
{
    return v_select(v_or(v_le(x, low), v_ge(x, high)), K(0), g);
}
FNN_DEFINE_MAP1(hardtanh, p[0], p[1])
FNN_DEFINE_MAP2(hardtanh_backward, p[0], p[1])

/* min(max(0, x), 6) */
INLINE VEC LANE(relu6)(VEC x)
{
    return LANE(hardtanh)(x, K(0), K(6));
}
INLINE VEC LANE(relu6_backward)(VEC g, VEC x)
{
    return LANE(hardtanh_backward)(g, x, K(0), K(6));
}
FNN_DEFINE_MAP1(relu6)
FNN_DEFINE_MAP2(relu6_backward)

/* relu6(x + 3) / 6 */
INLINE VEC LANE(hardsigmoid)(VEC x)
{
    return LANE(relu6)(x + K(3)) / K(6);
}
INLINE VEC LANE(hardsigmoid_backward)(VEC g, VEC x)
{
    /* The gradient is 0 at NaN, as in PyTorch. */
    return v_select(v_gt(x, K(-3)), v_select(v_lt(x, K(3)), g / K(6), K(0)), K(0));
}
FNN_DEFINE_MAP1(hardsigmoid)
FNN_DEFINE_MAP2(hardsigmoid_backward)

/* x relu6(x + 3) / 6 */
INLINE VEC LANE(hardswish)(VEC x)
{
    return AT_LEAST(x, K(-1e30)) * LANE(hardsigmoid)(x);
}
INLINE VEC LANE(hardswish_backward)(VEC g, VEC x)
{
    const VEC inside = g * (x / K(3) + K(0.5));
    return v_select(v_le(x, K(-3)), K(0), v_select(v_ge(x, K(3)), g, inside));
}
FNN_DEFINE_MAP1(hardswish)
FNN_DEFINE_MAP2(hardswish_backward)

/* log(x / (1 - x)), of x clamped to [eps, 1 - eps] if `clamped` is not 0. It is log1p(d) with d = (2 x - 1) / (1 - x)
 * for x >= 1/2 and -log1p(d) with d = (1 - 2 x) / x below: d >= 0, and 2 x - 1 is exact from 1/4 on. Denormal x are
 * scaled, since d would overflow. + 0 makes -0 into 0. */
#define SCALE_BITS K((uint64_t)1 << MANTISSA_BITS)
INLINE VEC LANE(logit)(VEC x, VEC eps, VEC clamped)
{
    x = K(0) + v_select(v_gt(clamped, K(0)), CLAMP(x, eps, K(1) - eps), x);
    const MASK upper = v_ge(x, K(0.5)), is_denormal = v_lt(v_abs(x), K(MIN_NORMAL));
    const VEC twice = x + x, scaled = v_select(is_denormal, x * SCALE_BITS, x);
    const VEC d = v_select(upper, twice - K(1), K(1) - twice) / v_select(upper, K(1) - x, scaled);
    const VEC y = LANE(log1p)(d) + v_select(is_denormal, K(MANTISSA_BITS * LN2), K(0));
    return v_select(upper, y, -y);
}
/* g / (x (1 - x)), and outside [eps, 1 - eps] 0, or outside [0, 1] NaN if x is not clamped */
INLINE VEC LANE(logit_backward)(VEC g, VEC x, VEC eps, VEC clamped)
{
    const MASK clamps = v_gt(clamped, K(0));
    const VEC low = v_select(clamps, eps, K(0));
    const MASK outside = v_or(v_lt(x, low), v_gt(x, K(1) - low));
    return v_select(outside, v_select(clamps, K(0), K(__builtin_nan(""))), g / (x * (K(1) - x)));
}
FNN_DEFINE_MAP1(logit, p[0], p[1])
FNN_DEFINE_MAP2(logit_backward, p[0], p[1])

/* log(1 / (1 + e^-x)) = min(0, x) - log1p(e^-|x|): both terms have one sign. The derivative is sigmoid(-x). */
INLINE VEC LANE(logsigmoid)(VEC x)
{
    return v_min(K(0), x) - LANE(log1p)(LANE(exp_bounded)(-v_abs(x)));
}
INLINE VEC LANE(logsigmoid_backward)(VEC g, VEC x)
{
    return g * LANE(sigmoid)(-x);
}
FNN_DEFINE_MAP1(logsigmoid)
FNN_DEFINE_MAP2(logsigmoid_backward)

/* x above the threshold, else value; NaN stays */
INLINE VEC LANE(threshold)(VEC x, VEC threshold, VEC value)
{
    return v_select(v_le(x, threshold), value, x);
}
INLINE VEC LANE(threshold_backward)(VEC g, VEC x, VEC threshold)
{
    return v_select(v_le(x, threshold), K(0), g);
}
FNN_DEFINE_MAP1(threshold, p[0], p[1])
FNN_DEFINE_MAP2(threshold_backward, p[0])

/* The elementary functions of math.h as kernels of their own. The gradient of exp takes the output. */
INLINE VEC LANE(exp_backward)(VEC g, VEC y)
{
    return g * y;
}
INLINE VEC LANE(expm1_backward)(VEC g, VEC x)
{
    return g * LANE(exp)(x);
}
INLINE VEC LANE(log_backward)(VEC g, VEC x)
{
    return g / x;
}
INLINE VEC LANE(log1p_backward)(VEC g, VEC x)
{
    return g / (K(1) + x);
}
/* g 2 / sqrt(pi) e^(-x^2), which is 0 from the bound on. */
#define TWO_INV_SQRT_PI K(1.1283791670955125738961589031215)
INLINE VEC LANE(erf_backward)(VEC g, VEC x)
{
    return g * LANE(gaussian)(v_min(K(BITS == 32 ? 10.3 : 27.35), v_abs(x)), 1, TWO_INV_SQRT_PI);
}
FNN_DEFINE_MAP1(exp)
FNN_DEFINE_MAP2(exp_backward)
FNN_DEFINE_MAP1(expm1)
FNN_DEFINE_MAP2(expm1_backward)
FNN_DEFINE_MAP1(log)
FNN_DEFINE_MAP2(log_backward)
FNN_DEFINE_MAP1(log1p)
FNN_DEFINE_MAP2(log1p_backward)
FNN_DEFINE_MAP1(erf)
FNN_DEFINE_MAP2(erf_backward)
