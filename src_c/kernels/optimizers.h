/* Optimizer updates: one kernel a rule, over flat arrays, in place. p is a register of parameters, g one of their
 * gradients; the states are NULL where a rule does not use them or an optimizer lacks them. What is the same for all
 * parameters was computed once, in double (src_c/rules.c), and is in c: c->beta1 is a register with beta1 in each lane.
 *
 * The order of operations is PyTorch's (torch/optim, the single-tensor implementations). What other libraries compute
 * under the same names differs from it by coefficients alone.
 */
#define COEFFICIENTS FNN_CAT(coefficients, BITS)
#define FNN_REGISTER(name) VEC name;
#define FNN_BROADCAST(name) .name = K(c->name),
typedef struct {
    FNN_COEFFICIENTS(FNN_REGISTER)
} COEFFICIENTS;

INLINE COEFFICIENTS LANE(broadcast)(const struct fnn_coefficients *c)
{
    return (COEFFICIENTS){FNN_COEFFICIENTS(FNN_BROADCAST)};
}

/* The kernel of a rule from its lane function, which is given g and p after weight decay, coupled and decoupled. */
#define FNN_DEFINE_UPDATE(name)                                                                              \
    INLINE void LANE(name##_register)(REAL *param, const REAL *grad, REAL *state0, REAL *state1,             \
                                      REAL *state2, ptrdiff_t left, const COEFFICIENTS *c)                   \
    {                                                                                                        \
        VEC p = LANE(load_n)(param, left, K(0));                                                             \
        VEC s0 = state0 ? LANE(load_n)(state0, left, K(0)) : K(0);                                           \
        VEC s1 = state1 ? LANE(load_n)(state1, left, K(0)) : K(0);                                           \
        VEC s2 = state2 ? LANE(load_n)(state2, left, K(0)) : K(0);                                           \
        const VEC g = LANE(with_decay)(LANE(load_n)(grad, left, K(0)) * c->grad_sign, p, c->weight_decay);      \
        p = p * c->shrink;                                                                                   \
        LANE(name)(&p, g, state0 ? &s0 : NULL, state1 ? &s1 : NULL, state2 ? &s2 : NULL, c);                 \
        LANE(store_n)(param, p, left);                                                                       \
        if (state0)                                                                                          \
            LANE(store_n)(state0, s0, left);                                                                 \
        if (state1)                                                                                          \
            LANE(store_n)(state1, s1, left);                                                                 \
        if (state2)                                                                                          \
            LANE(store_n)(state2, s2, left);                                                                 \
    }                                                                                                        \
    KERNEL_FN void FN(name)(void *at_param, const void *at_grad, void *at_state0, void *at_state1, void *at_state2, \
                            ptrdiff_t n, const struct fnn_coefficients *coefficients)                        \
    {                                                                                                        \
        REAL *param = at_param, *state0 = at_state0, *state1 = at_state1, *state2 = at_state2;               \
        const REAL *grad = at_grad;                                                                          \
        const COEFFICIENTS c = LANE(broadcast)(coefficients);                                                \
        const ptrdiff_t whole = n / LANES * LANES;                                                           \
        /* Which states there are is known before the loop, so that it has no branches. */                   \
        FNN_UPDATE_LOOP(name, !state0, NULL, NULL, NULL)                                                     \
        FNN_UPDATE_LOOP(name, state0 && !state1 && !state2, state0 + i, NULL, NULL)                          \
        FNN_UPDATE_LOOP(name, state0 && state1 && !state2, state0 + i, state1 + i, NULL)                     \
        FNN_UPDATE_LOOP(name, state0 && !state1 && state2, state0 + i, NULL, state2 + i)                     \
        FNN_UPDATE_LOOP(name, state0 && state1 && state2, state0 + i, state1 + i, state2 + i)                \
        if (whole < n)                                                                                       \
            LANE(name##_register)(param + whole, grad + whole, state0 ? state0 + whole : NULL,               \
                                  state1 ? state1 + whole : NULL, state2 ? state2 + whole : NULL, n - whole, &c); \
    }
#define FNN_UPDATE_LOOP(name, condition, state0, state1, state2)                                             \
    if (condition)                                                                                           \
        for (ptrdiff_t i = 0; i < whole; i += LANES)                                                         \
            LANE(name##_register)(param + i, grad + i, state0, state1, state2, LANES, &c);

/* g + weight_decay p. A rate of 0 means that the term is not there, so that it makes no NaN of an infinity. */
INLINE VEC LANE(with_decay)(VEC g, VEC p, VEC weight_decay)
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

/* decay average + (1 - decay) x^2 */
INLINE VEC LANE(average_square)(VEC average, VEC x, VEC decay, VEC one_minus_decay)
{
    return v_fma(one_minus_decay * x, x, decay * average);
}

/* average + (1 - decay)(x - average) */
INLINE VEC LANE(average)(VEC average, VEC x, VEC one_minus_decay)
{
    return v_fma(one_minus_decay, x - average, average);
}

/* 1, -1, or x itself where it is 0 or NaN. */
INLINE VEC LANE(sign)(VEC x)
{
    return v_select(v_gt(x, K(0)), K(1), v_select(v_lt(x, K(0)), K(-1), x));
}

/* p -= lr g, or with a momentum buffer:
 * buffer = momentum buffer + grad_scale g
 * p -= lr buffer, or lr (nesterov_momentum buffer + nesterov_grad_scale g) */
INLINE void LANE(sgd_step)(VEC *p, VEC g, VEC *buffer, VEC *state1, VEC *state2, const COEFFICIENTS *c)
{
    (void)state1, (void)state2;
    if (buffer) {
        const VEC scaled = c->grad_scale * g;
        *buffer = v_select(v_gt(c->momentum, K(0)), v_fma(c->momentum, *buffer, scaled), scaled);
        const VEC ahead = v_fma(c->nesterov_momentum, *buffer, c->nesterov_grad_scale * g);
        g = v_select(v_gt(c->nesterov_momentum, K(0)), ahead, *buffer);
    }
    *p = v_fnma(c->lr, g, *p);
}
FNN_DEFINE_UPDATE(sgd_step)

/* sum += g^2
 * p -= lr g / (sqrt(sum + inner_eps) + eps) */
INLINE void LANE(adagrad_step)(VEC *p, VEC g, VEC *sum, VEC *state1, VEC *state2, const COEFFICIENTS *c)
{
    (void)state1, (void)state2;
    *sum = v_fma(g, g, *sum);
    *p = v_fnma(c->lr, LANE(over_root)(g, v_sqrt(*sum + c->inner_eps) + c->eps), *p);
}
FNN_DEFINE_UPDATE(adagrad_step)

/* v = alpha v + (1 - alpha) g^2
 * centered: mean = alpha mean + (1 - alpha) g, and v - mean^2 in place of v below, 0 if rounding made it negative
 * update = g / (sqrt(v + inner_eps) + eps);  with momentum: update = buffer = momentum buffer + grad_scale update
 * p -= lr update */
INLINE void LANE(rmsprop_step)(VEC *p, VEC g, VEC *v, VEC *mean, VEC *buffer, const COEFFICIENTS *c)
{
    *v = LANE(average_square)(*v, g, c->alpha, c->one_minus_alpha);
    VEC variance = *v;
    if (mean) {
        *mean = LANE(average)(*mean, g, c->one_minus_alpha);
        variance = v_max(K(0), v_fnma(*mean, *mean, variance)); /* NaN stays */
    }
    VEC update = LANE(over_root)(g, v_sqrt(variance + c->inner_eps) + c->eps);
    if (buffer)
        update = *buffer = v_fma(c->momentum, *buffer, c->grad_scale * update);
    *p = v_fnma(c->lr, update, *p);
}
FNN_DEFINE_UPDATE(rmsprop_step)

/* v = rho v + (1 - rho) g^2
 * delta = sqrt(d + eps) / sqrt(v + eps) g
 * d = rho d + (1 - rho) delta^2
 * p -= lr delta */
INLINE void LANE(adadelta_step)(VEC *p, VEC g, VEC *v, VEC *d, VEC *state2, const COEFFICIENTS *c)
{
    (void)state2;
    *v = LANE(average_square)(*v, g, c->rho, c->one_minus_rho);
    const VEC delta = LANE(over_root)(v_sqrt(*d + c->eps), v_sqrt(*v + c->eps)) * g;
    *d = LANE(average_square)(*d, delta, c->rho, c->one_minus_rho);
    *p = v_fnma(c->lr, delta, *p);
}
FNN_DEFINE_UPDATE(adadelta_step)

/* m = beta1 m + (1 - beta1) g
 * v = beta2 v + (1 - beta2) g^2 */
INLINE void LANE(average_moments)(VEC *m, VEC *v, VEC g, const COEFFICIENTS *c)
{
    *m = LANE(average)(*m, g, c->one_minus_beta1);
    *v = LANE(average_square)(*v, g, c->beta2, c->one_minus_beta2);
}

/* m, v as above
 * amsgrad: largest = max(largest, v), in place of v below
 * p -= step_size m / (sqrt(v) / sqrt(1 - beta2^t) + eps) */
INLINE void LANE(adam_step)(VEC *p, VEC g, VEC *m, VEC *v, VEC *largest, const COEFFICIENTS *c)
{
    LANE(average_moments)(m, v, g, c);
    VEC second = *v;
    if (largest)
        second = *largest = v_max(*largest, *v);
    *p = v_fnma(c->step_size, LANE(over_root)(*m, v_fma(v_sqrt(second), c->inv_sqrt_bias2, c->eps)), *p);
}
FNN_DEFINE_UPDATE(adam_step)

/* m, v as above
 * p -= (step_size m + grad_step_size g) / (sqrt(v) / sqrt(1 - beta2^t) + eps) */
INLINE void LANE(nadam_step)(VEC *p, VEC g, VEC *m, VEC *v, VEC *state2, const COEFFICIENTS *c)
{
    (void)state2;
    LANE(average_moments)(m, v, g, c);
    const VEC root = v_fma(v_sqrt(*v), c->inv_sqrt_bias2, c->eps);
    *p = *p - LANE(over_root)(v_fma(c->grad_step_size, g, c->step_size * *m), root);
}
FNN_DEFINE_UPDATE(nadam_step)

/* m, v as above
 * rectified: p -= step_size m / (sqrt(v) + eps);  else: p -= step_size m */
INLINE void LANE(radam_step)(VEC *p, VEC g, VEC *m, VEC *v, VEC *state2, const COEFFICIENTS *c)
{
    (void)state2;
    LANE(average_moments)(m, v, g, c);
    const VEC adapted = LANE(over_root)(*m, v_sqrt(*v) + c->eps);
    *p = v_fnma(c->step_size, v_select(v_gt(c->rectified, K(0)), adapted, *m), *p);
}
FNN_DEFINE_UPDATE(radam_step)

/* m = beta1 m + (1 - beta1) g
 * u = max(beta2 u, |g| + eps), NaN if one of them is
 * p -= step_size m / u, but p stays where u is 0 */
INLINE void LANE(adamax_step)(VEC *p, VEC g, VEC *m, VEC *u, VEC *state2, const COEFFICIENTS *c)
{
    (void)state2;
    *m = LANE(average)(*m, g, c->one_minus_beta1);
    const VEC before = c->beta2 * *u;
    *u = v_select(v_eq(before, before), v_max(before, v_abs(g) + c->eps), before);
    *p = v_fnma(c->step_size, v_select(v_eq(*u, K(0)), K(0), *m / *u), *p);
}
FNN_DEFINE_UPDATE(adamax_step)

/* p -= lr sign(beta1 m + (1 - beta1) g)
 * m = beta2 m + (1 - beta2) g */
INLINE void LANE(lion_step)(VEC *p, VEC g, VEC *m, VEC *state1, VEC *state2, const COEFFICIENTS *c)
{
    (void)state1, (void)state2;
    *p = v_fnma(c->lr, LANE(sign)(v_fma(c->beta1, *m, c->one_minus_beta1 * g)), *p);
    *m = v_fma(c->beta2, *m, c->one_minus_beta2 * g);
}
FNN_DEFINE_UPDATE(lion_step)

/* factor = eta_plus where g previous > 0, eta_minus where g previous < 0, 1 where it is 0, as at the first step
 * size = min(largest_step, max(smallest_step, factor size)), which starts from lr
 * previous = g, but 0 where g previous < 0
 * p -= size sign(previous) */
INLINE void LANE(rprop_step)(VEC *p, VEC g, VEC *previous, VEC *size, VEC *state2, const COEFFICIENTS *c)
{
    (void)state2;
    const MASK first = v_gt(c->first_step, K(0));
    const VEC agreement = g * v_select(first, K(0), *previous);
    const MASK kept = v_gt(agreement, K(0)), lost = v_lt(agreement, K(0));
    const VEC factor = v_select(kept, c->eta_plus, v_select(lost, c->eta_minus, K(1)));
    *size = v_min(c->largest_step, v_max(c->smallest_step, factor * v_select(first, c->lr, *size)));
    *previous = v_select(lost, K(0), g);
    *p = v_fnma(LANE(sign)(*previous), *size, *p);
}
FNN_DEFINE_UPDATE(rprop_step)

/* p -= step_size g
 * average = average + average_weight (p - average), p itself where that weight is 1 */
INLINE void LANE(asgd_step)(VEC *p, VEC g, VEC *average, VEC *state1, VEC *state2, const COEFFICIENTS *c)
{
    (void)state1, (void)state2;
    *p = v_fnma(c->step_size, g, *p);
    *average = v_select(v_eq(c->average_weight, K(1)), *p, v_fma(c->average_weight, *p - *average, *average));
}
FNN_DEFINE_UPDATE(asgd_step)

/* z = p at the first step, and where it is NaN: then p was not updated before, or is NaN itself
 * v = beta2 v + (1 - beta2) g^2
 * u = g / (sqrt(v) / sqrt(1 - beta2^t) + eps) + late_decay p
 * p = p + average_weight (z - p) + grad_step_size u
 * z -= step_size u */
INLINE void LANE(schedulefreeadamw_step)(VEC *p, VEC g, VEC *z, VEC *v, VEC *state2, const COEFFICIENTS *c)
{
    (void)state2;
    const VEC known = v_select(v_eq(*z, *z), *z, *p);
    *z = v_select(v_gt(c->first_step, K(0)), *p, known);
    *v = LANE(average_square)(*v, g, c->beta2, c->one_minus_beta2);
    VEC u = LANE(over_root)(g, v_fma(v_sqrt(*v), c->inv_sqrt_bias2, c->eps));
    u = LANE(with_decay)(u, *p, c->late_decay);
    *p = v_fma(c->grad_step_size, u, LANE(average)(*p, *z, c->average_weight));
    *z = v_fnma(c->step_size, u, *z);
}
FNN_DEFINE_UPDATE(schedulefreeadamw_step)

/* p -= lr g, of a g that was made of a whole matrix before, where lr is that of the matrix */
INLINE void LANE(apply_step)(VEC *p, VEC g, const COEFFICIENTS *c)
{
    *p = v_fnma(c->lr, g, *p);
}
INLINE void LANE(adafactor_step)(VEC *p, VEC g, VEC *state0, VEC *state1, VEC *state2, const COEFFICIENTS *c)
{
    (void)state0, (void)state1, (void)state2;
    LANE(apply_step)(p, g, c);
}
FNN_DEFINE_UPDATE(adafactor_step)
INLINE void LANE(muon_step)(VEC *p, VEC g, VEC *state0, VEC *state1, VEC *state2, const COEFFICIENTS *c)
{
    (void)state0, (void)state1, (void)state2;
    LANE(apply_step)(p, g, c);
}
FNN_DEFINE_UPDATE(muon_step)

/* g / sqrt(max(row v, least)): Adafactor's step of a row of a matrix, v of its columns;  params: row, least */
INLINE VEC LANE(factored_step)(VEC g, VEC v, VEC row, VEC least)
{
    const VEC square = row * v;
    return LANE(over_root)(g, v_sqrt(v_select(v_lt(square, least), least, square)));
}
FNN_DEFINE_MAP2(factored_step, p[0], p[1])

/* out[j] = sum over the rows of x^2, each one chain in ascending order */
KERNEL_FN void FN(column_squares)(const void *at_x, ptrdiff_t row, void *at_out, ptrdiff_t rows, ptrdiff_t cols)
{
    const REAL *x = at_x;
    REAL *out = at_out;
    for (ptrdiff_t i = 0; i < cols; i += LANES) {
        const ptrdiff_t left = cols - i;
        VEC sum = K(0);
        for (ptrdiff_t r = 0; r < rows; r++) {
            const VEC v = LANE(load_n)(x + r * row + i, left, K(0));
            sum = v_fma(v, v, sum);
        }
        LANE(store_n)(out + i, sum, left);
    }
}
