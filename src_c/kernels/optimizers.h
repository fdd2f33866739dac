/* Optimizer updates: one kernel a rule, over flat arrays, in place. The caller computes every coefficient that is the
 * same for all parameters (bias corrections, products of rates) once a step in double and passes them in c; s0, s1, s2
 * are the state arrays, NULL where a rule does not use them.
 *
 * The order of operations is PyTorch's (torch/optim, the single-tensor implementations). What other libraries compute
 * under the same names differs from it by coefficients alone.
 *
 * Coefficients of all rules: k[1] is the decay that is added to the gradient, and these two.
 */
#define SHRINK 10        /* the factor of the parameters themselves: 1 - lr weight_decay where decay is decoupled */
#define GRADIENT_SIGN 11 /* -1 to climb */

#define FNN_DEFINE_UPDATE(name)                                                                              \
    INLINE void LANE(name##_register)(REAL *param, const REAL *grad, REAL *s0, REAL *s1, REAL *s2,           \
                                      ptrdiff_t left, const VEC *k)                                          \
    {                                                                                                        \
        VEC p = LANE(load_n)(param, left, K(0));                                                             \
        VEC a = s0 ? LANE(load_n)(s0, left, K(0)) : K(0);                                                    \
        VEC b = s1 ? LANE(load_n)(s1, left, K(0)) : K(0);                                                    \
        VEC d = s2 ? LANE(load_n)(s2, left, K(0)) : K(0);                                                    \
        const VEC g = LANE(decayed)(LANE(load_n)(grad, left, K(0)) * k[GRADIENT_SIGN], p, k[1]);             \
        p = p * k[SHRINK];                                                                                   \
        LANE(name)(&p, g, s0 ? &a : NULL, s1 ? &b : NULL, s2 ? &d : NULL, k);                                \
        LANE(store_n)(param, p, left);                                                                       \
        if (s0)                                                                                              \
            LANE(store_n)(s0, a, left);                                                                      \
        if (s1)                                                                                              \
            LANE(store_n)(s1, b, left);                                                                      \
        if (s2)                                                                                              \
            LANE(store_n)(s2, d, left);                                                                      \
    }                                                                                                        \
    KERNEL_FN void FN(name)(REAL *param, const REAL *grad, REAL *s0, REAL *s1, REAL *s2, ptrdiff_t n,        \
                            const double *c)                                                                 \
    {                                                                                                        \
        const VEC k[16] = {K(c[0]), K(c[1]), K(c[2]),  K(c[3]),  K(c[4]),  K(c[5]),  K(c[6]),  K(c[7]),      \
                           K(c[8]), K(c[9]), K(c[10]), K(c[11]), K(c[12]), K(c[13]), K(c[14]), K(c[15])};    \
        const ptrdiff_t whole = n / LANES * LANES;                                                           \
        /* Which states there are is known before the loop, so that it has no branches. */                   \
        FNN_UPDATE_LOOP(name, !s0, NULL, NULL, NULL)                                                         \
        FNN_UPDATE_LOOP(name, s0 && !s1 && !s2, s0 + i, NULL, NULL)                                          \
        FNN_UPDATE_LOOP(name, s0 && s1 && !s2, s0 + i, s1 + i, NULL)                                         \
        FNN_UPDATE_LOOP(name, s0 && !s1 && s2, s0 + i, NULL, s2 + i)                                         \
        FNN_UPDATE_LOOP(name, s0 && s1 && s2, s0 + i, s1 + i, s2 + i)                                        \
        if (whole < n)                                                                                       \
            LANE(name##_register)(param + whole, grad + whole, s0 ? s0 + whole : NULL, s1 ? s1 + whole : NULL, \
                                  s2 ? s2 + whole : NULL, n - whole, k);                                     \
    }
#define FNN_UPDATE_LOOP(name, condition, s0, s1, s2)                                                         \
    if (condition)                                                                                           \
        for (ptrdiff_t i = 0; i < whole; i += LANES)                                                         \
            LANE(name##_register)(param + i, grad + i, s0, s1, s2, LANES, k);

/* g + weight_decay p. A rate of 0 means that the term is not there, so that it makes no NaN of an infinity. */
INLINE VEC LANE(decayed)(VEC g, VEC p, VEC weight_decay)
{
    return v_select(v_gt(weight_decay, K(0)), v_fma(weight_decay, p, g), g);
}

/* The root of the least positive number: a root of squares that is not 0 is no smaller. */
#define LEAST_ROOT K(BITS == 32 ? 0x1.6a09e667f3bcdp-75 : 0x1p-537)

/* a / root, root held above 0: with an eps that is 0 in this dtype, a parameter without a gradient stays as it is. */
INLINE VEC LANE(over_root)(VEC a, VEC root)
{
    return a / v_max(LEAST_ROOT, root);
}

/* A rule without momentum has no buffer: p -= lr g. With one:
 * buffer = momentum buffer + gain g;  p -= lr buffer,  or lr (look_ahead buffer + ahead_gain g)
 * k: lr, -, momentum (0 at the first step), gain = 1 - dampening (1 at the first step), look_ahead (momentum for
 * Nesterov's rule, else 0), ahead_gain = 1. With the rate inside the buffer: lr = -1, gain = ahead_gain = -lr. */
INLINE void LANE(sgd_step)(VEC *p, VEC g, VEC *buffer, VEC *s1, VEC *s2, const VEC *k)
{
    (void)s1, (void)s2;
    if (buffer) {
        const VEC scaled = k[3] * g;
        *buffer = v_select(v_gt(k[2], K(0)), v_fma(k[2], *buffer, scaled), scaled);
        g = v_select(v_gt(k[4], K(0)), v_fma(k[4], *buffer, k[5] * g), *buffer);
    }
    *p = v_fnma(k[0], g, *p);
}
FNN_DEFINE_UPDATE(sgd_step)

/* sum += g^2;  p -= lr g / (sqrt(sum + inner_eps) + eps);  k: lr (decayed), -, eps, inner_eps */
INLINE void LANE(adagrad_step)(VEC *p, VEC g, VEC *sum, VEC *s1, VEC *s2, const VEC *k)
{
    (void)s1, (void)s2;
    *sum = v_fma(g, g, *sum);
    *p = v_fnma(k[0], LANE(over_root)(g, v_sqrt(*sum + k[3]) + k[2]), *p);
}
FNN_DEFINE_UPDATE(adagrad_step)

/* v = alpha v + (1 - alpha) g^2;  centered: mean = alpha mean + (1 - alpha) g, v - mean^2 under the root, where
 * it is 0 if rounding made it negative;
 * update = g / (sqrt(v + inner_eps) + eps);  momentum: buffer = momentum buffer + gain update;  p -= lr update
 * k: lr, -, eps, alpha, 1 - alpha, momentum, inner_eps, gain (1, or the rate inside the buffer) */
INLINE void LANE(rmsprop_step)(VEC *p, VEC g, VEC *v, VEC *mean, VEC *buffer, const VEC *k)
{
    *v = v_fma(k[4] * g, g, k[3] * *v);
    VEC variance = *v;
    if (mean) {
        *mean = v_fma(k[4], g - *mean, *mean);
        variance = v_max(K(0), v_fnma(*mean, *mean, variance)); /* NaN stays */
    }
    VEC update = LANE(over_root)(g, v_sqrt(variance + k[6]) + k[2]);
    if (buffer)
        update = *buffer = v_fma(k[5], *buffer, k[7] * update);
    *p = v_fnma(k[0], update, *p);
}
FNN_DEFINE_UPDATE(rmsprop_step)

/* v = rho v + (1 - rho) g^2;  delta = sqrt(d + eps) / sqrt(v + eps) g;  d = rho d + (1 - rho) delta^2;  p -= lr delta
 * k: lr, -, eps, rho, 1 - rho */
INLINE void LANE(adadelta_step)(VEC *p, VEC g, VEC *v, VEC *d, VEC *s2, const VEC *k)
{
    (void)s2;
    *v = v_fma(k[4] * g, g, k[3] * *v);
    const VEC delta = LANE(over_root)(v_sqrt(*d + k[2]), v_sqrt(*v + k[2])) * g;
    *d = v_fma(k[4] * delta, delta, k[3] * *d);
    *p = v_fnma(k[0], delta, *p);
}
FNN_DEFINE_UPDATE(adadelta_step)

/* m += (1 - beta1)(g - m);  v = beta2 v + (1 - beta2) g^2;  k: ..., 3: 1 - beta1, beta2, 1 - beta2 */
INLINE void LANE(average_moments)(VEC *m, VEC *v, VEC g, const VEC *k)
{
    *m = v_fma(k[3], g - *m, *m);
    *v = v_fma(k[5] * g, g, k[4] * *v);
}

/* The moments, then p -= step_size m / (sqrt(v) / sqrt(1 - beta2^t) + eps), with the largest v so far in place of v for
 * amsgrad.  k: step_size = lr / (1 - beta1^t), -, eps, 1 - beta1, beta2, 1 - beta2, 1 / sqrt(1 - beta2^t) */
INLINE void LANE(adam_step)(VEC *p, VEC g, VEC *m, VEC *v, VEC *largest, const VEC *k)
{
    LANE(average_moments)(m, v, g, k);
    VEC second = *v;
    if (largest)
        second = *largest = v_max(*largest, *v);
    *p = v_fnma(k[0], LANE(over_root)(*m, v_fma(v_sqrt(second), k[6], k[2])), *p);
}
FNN_DEFINE_UPDATE(adam_step)

/* The moments, then p -= (step_size m + gradient_size g) / (sqrt(v) / sqrt(1 - beta2^t) + eps)
 * k: step_size, -, eps, 1 - beta1, beta2, 1 - beta2, 1 / sqrt(1 - beta2^t), gradient_size */
INLINE void LANE(nadam_step)(VEC *p, VEC g, VEC *m, VEC *v, VEC *s2, const VEC *k)
{
    (void)s2;
    LANE(average_moments)(m, v, g, k);
    *p = *p - LANE(over_root)(v_fma(k[7], g, k[0] * *m), v_fma(v_sqrt(*v), k[6], k[2]));
}
FNN_DEFINE_UPDATE(nadam_step)

/* The moments, then p -= step_size m / (sqrt(v) + eps), or p -= step_size m while v is not to be trusted yet.
 * k: step_size, -, eps, 1 - beta1, beta2, 1 - beta2, whether v is to be trusted */
INLINE void LANE(radam_step)(VEC *p, VEC g, VEC *m, VEC *v, VEC *s2, const VEC *k)
{
    (void)s2;
    LANE(average_moments)(m, v, g, k);
    const VEC rectified = LANE(over_root)(*m, v_sqrt(*v) + k[2]);
    *p = v_fnma(k[0], v_select(v_gt(k[6], K(0)), rectified, *m), *p);
}
FNN_DEFINE_UPDATE(radam_step)

/* m += (1 - beta1)(g - m);  u = max(beta2 u, |g| + eps), NaN if one is;  p -= step_size m / u, but stays where u is 0
 * k: step_size = lr / (1 - beta1^t), -, eps, 1 - beta1, beta2 */
INLINE void LANE(adamax_step)(VEC *p, VEC g, VEC *m, VEC *u, VEC *s2, const VEC *k)
{
    (void)s2;
    *m = v_fma(k[3], g - *m, *m);
    const VEC before = k[4] * *u;
    *u = v_select(v_eq(before, before), v_max(before, v_abs(g) + k[2]), before);
    *p = v_fnma(k[0], v_select(v_eq(*u, K(0)), K(0), *m / *u), *p);
}
FNN_DEFINE_UPDATE(adamax_step)

/* 1, -1, or x itself where it is 0 or NaN. */
INLINE VEC LANE(sign)(VEC x)
{
    return v_select(v_gt(x, K(0)), K(1), v_select(v_lt(x, K(0)), K(-1), x));
}

/* p -= lr sign(beta1 m + (1 - beta1) g);  m = beta2 m + (1 - beta2) g;  k: lr, -, beta1, 1 - beta1, beta2, 1 - beta2 */
INLINE void LANE(lion_step)(VEC *p, VEC g, VEC *m, VEC *s1, VEC *s2, const VEC *k)
{
    (void)s1, (void)s2;
    *p = v_fnma(k[0], LANE(sign)(v_fma(k[2], *m, k[3] * g)), *p);
    *m = v_fma(k[4], *m, k[5] * g);
}
FNN_DEFINE_UPDATE(lion_step)

/* size = factor size, within bounds; the factor is eta_plus where the gradient kept its sign and eta_minus where it lost
 * it, and there the gradient counts as 0;  p -= size sign(g);  previous = g
 * k: size at first, -, eta_minus, eta_plus, smallest and largest size, whether this is the first step */
INLINE void LANE(rprop_step)(VEC *p, VEC g, VEC *previous, VEC *size, VEC *s2, const VEC *k)
{
    (void)s2;
    const MASK first = v_gt(k[6], K(0));
    const VEC agreement = g * v_select(first, K(0), *previous);
    const MASK kept = v_gt(agreement, K(0)), lost = v_lt(agreement, K(0));
    const VEC factor = v_select(kept, k[3], v_select(lost, k[2], K(1)));
    *size = v_min(k[5], v_max(k[4], factor * v_select(first, k[0], *size)));
    *previous = v_select(lost, K(0), g);
    *p = v_fnma(LANE(sign)(*previous), *size, *p);
}
FNN_DEFINE_UPDATE(rprop_step)
