/* Optimizer updates: one kernel a rule, over flat arrays, in place. The caller computes every coefficient that is the
 * same for all parameters (bias corrections, products of rates) once a step in double and passes them in c; s0, s1, s2
 * are the state arrays, NULL where a rule does not use them.
 *
 * The order of operations is PyTorch's (torch/optim, the single-tensor implementations).
 */
#define FNN_DEFINE_UPDATE(name)                                                                              \
    INLINE void LANE(name##_register)(REAL *param, const REAL *grad, REAL *s0, REAL *s1, REAL *s2,           \
                                      ptrdiff_t left, const VEC *k)                                          \
    {                                                                                                        \
        VEC p = LANE(load_n)(param, left, K(0));                                                             \
        VEC a = s0 ? LANE(load_n)(s0, left, K(0)) : K(0);                                                    \
        VEC b = s1 ? LANE(load_n)(s1, left, K(0)) : K(0);                                                    \
        VEC d = s2 ? LANE(load_n)(s2, left, K(0)) : K(0);                                                    \
        LANE(name)(&p, LANE(load_n)(grad, left, K(0)), s0 ? &a : NULL, s1 ? &b : NULL, s2 ? &d : NULL, k);   \
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
        const VEC k[8] = {K(c[0]), K(c[1]), K(c[2]), K(c[3]), K(c[4]), K(c[5]), K(c[6]), K(c[7])};           \
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

/* g += weight_decay p;  buffer = momentum buffer + (1 - dampening) g;  p -= lr buffer,  or lr (g + look_ahead buffer)
 * k: lr, weight_decay, momentum (0 at the first step), 1 - dampening (1 at the first step), look_ahead (momentum for
 * Nesterov's rule, else 0) */
INLINE void LANE(sgd_step)(VEC *p, VEC g, VEC *buffer, VEC *s1, VEC *s2, const VEC *k)
{
    (void)s1, (void)s2;
    g = LANE(decayed)(g, *p, k[1]);
    if (buffer) {
        const VEC scaled = k[3] * g;
        *buffer = v_select(v_gt(k[2], K(0)), v_fma(k[2], *buffer, scaled), scaled);
        g = v_select(v_gt(k[4], K(0)), v_fma(k[4], *buffer, g), *buffer);
    }
    *p = v_fnma(k[0], g, *p);
}
FNN_DEFINE_UPDATE(sgd_step)

/* g += weight_decay p;  sum += g^2;  p -= lr g / (sqrt(sum) + eps);  k: lr (decayed), weight_decay, eps */
INLINE void LANE(adagrad_step)(VEC *p, VEC g, VEC *sum, VEC *s1, VEC *s2, const VEC *k)
{
    (void)s1, (void)s2;
    g = LANE(decayed)(g, *p, k[1]);
    *sum = v_fma(g, g, *sum);
    *p = v_fnma(k[0], g / (v_sqrt(*sum) + k[2]), *p);
}
FNN_DEFINE_UPDATE(adagrad_step)

/* v = alpha v + (1 - alpha) g^2;  centered: mean = alpha mean + (1 - alpha) g, v - mean^2 under the root;
 * update = g / (sqrt(v) + eps);  momentum: buffer = momentum buffer + update;  p -= lr update
 * k: lr, weight_decay, eps, alpha, 1 - alpha, momentum */
INLINE void LANE(rmsprop_step)(VEC *p, VEC g, VEC *v, VEC *mean, VEC *buffer, const VEC *k)
{
    g = LANE(decayed)(g, *p, k[1]);
    *v = v_fma(k[4] * g, g, k[3] * *v);
    VEC variance = *v;
    if (mean) {
        *mean = v_fma(k[4], g - *mean, *mean);
        variance = v_fnma(*mean, *mean, variance);
    }
    VEC update = g / (v_sqrt(variance) + k[2]);
    if (buffer)
        update = *buffer = v_fma(k[5], *buffer, update);
    *p = v_fnma(k[0], update, *p);
}
FNN_DEFINE_UPDATE(rmsprop_step)

/* p *= 1 - lr decoupled_decay (AdamW);  g += weight_decay p (Adam);
 * m += (1 - beta1)(g - m);  v = beta2 v + (1 - beta2) g^2;
 * p -= step_size m / (sqrt(v) / sqrt(1 - beta2^t) + eps), with the largest v so far in place of v for amsgrad.
 * k: step_size = lr / (1 - beta1^t), weight_decay, eps, 1 - beta1, beta2, 1 - beta2, 1 / sqrt(1 - beta2^t), shrink */
INLINE void LANE(adam_step)(VEC *p, VEC g, VEC *m, VEC *v, VEC *largest, const VEC *k)
{
    *p = *p * k[7];
    g = LANE(decayed)(g, *p, k[1]);
    *m = v_fma(k[3], g - *m, *m);
    *v = v_fma(k[5] * g, g, k[4] * *v);
    VEC second = *v;
    if (largest)
        second = *largest = v_max(*largest, *v);
    *p = v_fnma(k[0], *m / v_fma(v_sqrt(second), k[6], k[2]), *p);
}
FNN_DEFINE_UPDATE(adam_step)
