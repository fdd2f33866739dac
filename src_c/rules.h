/* The update rules of optimizers: their hyperparameters, and the coefficients that kernels/optimizers.h works with. */
#ifndef FASTNN_RULES_H
#define FASTNN_RULES_H

#include <stdint.h>

/* The one list of hyperparameters, those of all rules; a switch is 0 or 1. Optimizers keep them as arrays of doubles in
 * this order, one row for each parameter group, which C reads as struct fnn_hyper and Python by these names. */
#define FNN_HYPERPARAMETERS(NUMBER, SWITCH)                                                                  \
    NUMBER(lr)                                                                                               \
    NUMBER(weight_decay)                                                                                     \
    NUMBER(eps)                                                                                              \
    NUMBER(momentum)                                                                                         \
    NUMBER(dampening)                                                                                        \
    SWITCH(nesterov)                                                                                         \
    NUMBER(lr_decay)                                                                                         \
    NUMBER(alpha)                                                                                            \
    NUMBER(beta1)                                                                                            \
    NUMBER(beta2)                                                                                            \
    SWITCH(decoupled) /* weight_decay acts on the parameters, not on their gradients */                      \
    SWITCH(maximize)                                                                                         \
    NUMBER(compat) /* enum fnn_compat */                                                                     \
    NUMBER(rho)                                                                                              \
    NUMBER(momentum_decay)                                                                                   \
    NUMBER(mu_product) /* NAdam: product of the momenta of all steps so far, 0 if unknown */                 \
    NUMBER(eta_minus)                                                                                        \
    NUMBER(eta_plus)                                                                                         \
    NUMBER(smallest_step)                                                                                    \
    NUMBER(largest_step)                                                                                     \
    NUMBER(lambd)                                                                                            \
    NUMBER(t0)                                                                                               \
    NUMBER(eta)     /* ASGD: the rate of the next step, negative if unknown */                               \
    NUMBER(eta_now) /* ASGD: the rate of this step */                                                        \
    NUMBER(warmup_steps)                                                                                     \
    NUMBER(r)                                                                                                \
    NUMBER(weight_lr_power)                                                                                  \
    NUMBER(weight_sum) /* schedule-free: sum of the weights of the average so far, negative if unknown */    \
    NUMBER(lr_max)     /* schedule-free: the largest rate so far */                                          \
    SWITCH(evaluating) /* schedule-free: the parameters are the average, and cannot be trained */            \
    NUMBER(beta2_decay)                                                                                      \
    NUMBER(eps1)                                                                                             \
    NUMBER(eps2)                                                                                             \
    NUMBER(d)                                                                                                \
    NUMBER(ns_a)                                                                                             \
    NUMBER(ns_b)                                                                                             \
    NUMBER(ns_c)                                                                                             \
    NUMBER(ns_steps)                                                                                         \
    NUMBER(adjust_lr_fn) /* Muon: enum fnn_adjust_lr */                                                         \
    NUMBER(transposed) /* Muon: 1 if a weight is (inputs, outputs), 0 if (outputs, inputs) */                \
    SWITCH(frozen) /* updates leave the parameters and their states as they are */

/* The one list of the numbers of clipping, those that are set and then the one that a step writes. */
#define FNN_CLIPPING(NUMBER)                                                                                 \
    NUMBER(max_grad_norm)      /* NaN: none */                                                               \
    NUMBER(max_grad_value)     /* infinity: none */                                                          \
    NUMBER(error_if_nonfinite) /* whether a norm that is not finite is an error */                           \
    NUMBER(grad_norm)          /* at the last step, before clipping; NaN without max_grad_norm */

/* The one list of coefficients, those of all rules: what is the same for all parameters of a group at a step. A kernel
 * has each as a register. t is the step, 1, 2, ...; src_c/rules.c has the modes of compat, which differ in coefficients
 * alone. */
#define FNN_COEFFICIENTS(NUMBER)                                                                             \
    NUMBER(lr)             /* of this step, where it decays */                                               \
    NUMBER(step_size)      /* lr / (1 - beta1^t), with further factors of RAdam and NAdam */                 \
    NUMBER(grad_step_size) /* NAdam: the factor of the gradient beside that of its average */                \
    NUMBER(weight_decay)   /* times the parameter, added to the gradient */                                  \
    NUMBER(shrink)         /* factor of the parameter: 1 - lr weight_decay where decay is decoupled */       \
    NUMBER(grad_sign)      /* -1 to maximize */                                                              \
    NUMBER(eps)            /* added to a root or a magnitude */                                              \
    NUMBER(inner_eps)      /* added under a root */                                                          \
    NUMBER(momentum)                                                                                         \
    NUMBER(grad_scale) /* factor of what is added to a momentum buffer: 1 - dampening, or lr */              \
    NUMBER(nesterov_momentum)                                                                                \
    NUMBER(nesterov_grad_scale)                                                                              \
    NUMBER(alpha)                                                                                            \
    NUMBER(one_minus_alpha)                                                                                  \
    NUMBER(rho)                                                                                              \
    NUMBER(one_minus_rho)                                                                                    \
    NUMBER(beta1)                                                                                            \
    NUMBER(one_minus_beta1)                                                                                  \
    NUMBER(beta2)                                                                                            \
    NUMBER(one_minus_beta2)                                                                                  \
    NUMBER(inv_sqrt_bias2) /* 1 / sqrt(1 - beta2^t) */                                                       \
    NUMBER(rectified)      /* RAdam: 1 where the average of squares is reliable, else 0 */                   \
    NUMBER(eta_minus)                                                                                        \
    NUMBER(eta_plus)                                                                                         \
    NUMBER(smallest_step)                                                                                    \
    NUMBER(largest_step)                                                                                     \
    NUMBER(first_step)     /* 1 at the first step, else 0 */                                                 \
    NUMBER(average_weight) /* of the new value in an average: ASGD, schedule-free */                         \
    NUMBER(late_decay)     /* times the parameter, added to the gradient divided by its root */

#define FNN_DOUBLE(name) double name;
#define FNN_NAME(name) #name " "
#define FNN_NO_NAME(name)

struct fnn_hyper {
    FNN_HYPERPARAMETERS(FNN_DOUBLE, FNN_DOUBLE)
};
struct fnn_clipping {
    FNN_CLIPPING(FNN_DOUBLE)
};
struct fnn_coefficients {
    FNN_COEFFICIENTS(FNN_DOUBLE)
};

enum {
    FNN_HYPER_COUNT = sizeof(struct fnn_hyper) / sizeof(double),
    FNN_CLIPPING_COUNT = sizeof(struct fnn_clipping) / sizeof(double),
};

/* The names of the fields in order, with a space behind each. */
#define FNN_HYPERPARAMETER_NAMES FNN_HYPERPARAMETERS(FNN_NAME, FNN_NAME)
#define FNN_SWITCH_NAMES FNN_HYPERPARAMETERS(FNN_NO_NAME, FNN_NAME)
#define FNN_CLIPPING_NAMES FNN_CLIPPING(FNN_NAME)

/* The library whose arithmetic is used, in the order of MODES of fastnn/_core/compat.py. */
enum fnn_compat { FNN_TORCH, FNN_KERAS, FNN_SKLEARN, FNN_ONNX };

/* How Muon scales the rate by the shape, in the order of ADJUST_LR of fastnn/optim/functional/matrix_rules.py. */
enum fnn_adjust_lr { FNN_ORIGINAL, FNN_MATCH_RMS_ADAMW };

/* What a rule works on: elements, or whole matrices, in _core/matrix_rules.pyx. */
enum fnn_whole { FNN_ELEMENTS, FNN_ADAFACTOR, FNN_MUON };

struct fnn_rule {
    const char *name;   /* of its kernel */
    int states;         /* how many of state0, state1, state2 it cannot do without */
    int momentum_state; /* the number of the one that it has only where momentum is not 0; -1 if there is none */
    void (*coefficients)(const struct fnn_hyper *h, int64_t step, struct fnn_coefficients *c);
    void (*advance)(struct fnn_hyper *h, int64_t step); /* once a step: updates what a rule keeps among its numbers */
    int whole;                                          /* enum fnn_whole */
};

/* All rules; behind the last one, one without a name. */
extern const struct fnn_rule fnn_rules[];

/* The coefficients of a rule at step 1, 2, ... */
void fnn_set_coefficients(const struct fnn_rule *rule, const struct fnn_hyper *h, int64_t step,
                          struct fnn_coefficients *c);

#endif
