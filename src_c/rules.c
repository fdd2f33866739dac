/* Coefficients of the update rules, computed in double. The formulas are PyTorch's (torch/optim), or those of Keras 3,
 * scikit-learn and ONNX in the other modes of compat. */
#include <math.h>
#include <stddef.h>

#include "rules.h"

/* buffer = momentum buffer + (1 - dampening) g;  p -= lr buffer.  Keras and scikit-learn keep the rate in the buffer:
 * buffer = momentum buffer - lr g;  p += buffer. */
static void sgd(const struct fnn_hyper *h, int64_t step, struct fnn_coefficients *c)
{
    c->momentum = h->momentum;
    c->grad_scale = step > 1 ? 1 - h->dampening : 1;
    c->nesterov_momentum = h->nesterov ? h->momentum : 0;
    c->nesterov_grad_scale = 1;
    if (h->compat == FNN_TORCH && step == 1) { /* the buffer starts as the gradient, whatever is in it */
        c->momentum = 0;
    } else if ((h->compat == FNN_KERAS || h->compat == FNN_SKLEARN) && h->momentum != 0) {
        c->lr = -1;
        c->grad_scale = c->nesterov_grad_scale = -h->lr;
    }
}

/* What is added to sqrt(v): sqrt(v) + eps, but sqrt(v + eps) in Keras. */
static void root_eps(const struct fnn_hyper *h, struct fnn_coefficients *c)
{
    c->eps = h->compat == FNN_KERAS ? 0 : h->eps;
    c->inner_eps = h->compat == FNN_KERAS ? h->eps : 0;
}

static void adagrad(const struct fnn_hyper *h, int64_t step, struct fnn_coefficients *c)
{
    root_eps(h, c);
    c->lr = h->lr / (1 + (double)(step - 1) * h->lr_decay);
}

/* buffer = momentum buffer + update;  p -= lr buffer.  Keras: buffer = momentum buffer + lr update;  p -= buffer. */
static void rmsprop(const struct fnn_hyper *h, int64_t step, struct fnn_coefficients *c)
{
    (void)step;
    root_eps(h, c);
    c->alpha = h->alpha;
    c->one_minus_alpha = 1 - h->alpha;
    c->momentum = h->momentum;
    c->grad_scale = 1;
    if (h->compat == FNN_KERAS && h->momentum != 0) {
        c->lr = 1;
        c->grad_scale = h->lr;
    }
}

static void adadelta(const struct fnn_hyper *h, int64_t step, struct fnn_coefficients *c)
{
    (void)step;
    c->rho = h->rho;
    c->one_minus_rho = 1 - h->rho;
}

static void betas(const struct fnn_hyper *h, struct fnn_coefficients *c)
{
    c->beta1 = h->beta1;
    c->one_minus_beta1 = 1 - h->beta1;
    c->beta2 = h->beta2;
    c->one_minus_beta2 = 1 - h->beta2;
}

/* 1 - beta^t: an average that started as 0 is divided by it. */
static double bias_correction(double beta, double t)
{
    return t > 0 ? 1 - pow(beta, t) : 1;
}

/* p -= step_size m / (sqrt(v) / sqrt(1 - beta2^t) + eps).  All but PyTorch add eps to sqrt(v) itself:
 * p -= step_size sqrt(1 - beta2^t) m / (sqrt(v) + eps). */
static void adam(const struct fnn_hyper *h, int64_t step, struct fnn_coefficients *c)
{
    const double t = (double)(h->compat == FNN_ONNX ? step - 1 : step); /* ONNX corrects nothing at the first step */
    const double bias1 = bias_correction(h->beta1, t), bias2 = bias_correction(h->beta2, t);
    const int torch = h->compat == FNN_TORCH;
    betas(h, c);
    c->step_size = torch ? h->lr / bias1 : h->lr / bias1 * sqrt(bias2);
    c->inv_sqrt_bias2 = torch ? 1 / sqrt(bias2) : 1;
    if (h->compat == FNN_ONNX && h->decoupled) /* p = (1 - weight_decay)(p - update) */
        c->step_size *= c->shrink;
}

/* NAdam's momentum at step t. */
static double nadam_momentum(const struct fnn_hyper *h, double t)
{
    return h->beta1 * (1 - 0.5 * pow(0.96, t * h->momentum_decay));
}

/* mu_product *= mu_t.  Where it is not known, it becomes what it would be if the hyperparameters had always been these;
 * below 1e-20 it makes no difference. */
static void nadam_advance(struct fnn_hyper *h, int64_t step)
{
    double product = h->mu_product;
    if (product == 0) {
        product = 1;
        for (int64_t t = 1; t < step; t++) {
            const double decay = pow(0.96, (double)t * h->momentum_decay);
            product *= nadam_momentum(h, (double)t);
            if (decay < 1e-17) /* the momentum is beta1 from here on */
                product *= pow(h->beta1, (double)(step - 1 - t));
            if (product < 1e-20 || decay < 1e-17)
                break;
        }
    }
    product *= nadam_momentum(h, (double)step);
    h->mu_product = 1e-300 > product ? 1e-300 : product;
}

static void nadam(const struct fnn_hyper *h, int64_t step, struct fnn_coefficients *c)
{
    const double mu = nadam_momentum(h, (double)step), next_mu = nadam_momentum(h, (double)step + 1);
    betas(h, c);
    c->step_size = h->lr * next_mu / (1 - h->mu_product * next_mu);
    c->grad_step_size = h->lr * (1 - mu) / (1 - h->mu_product);
    c->inv_sqrt_bias2 = 1 / sqrt(bias_correction(h->beta2, (double)step));
}

/* rho counts the gradients that v averages. Above 5, p -= step_size r sqrt(1 - beta2^t) m / (sqrt(v) + eps). */
static void radam(const struct fnn_hyper *h, int64_t step, struct fnn_coefficients *c)
{
    const double t = (double)step, bias2 = bias_correction(h->beta2, t);
    const double limit = 2 / (1 - h->beta2) - 1;
    const double rho = limit - 2 * t * pow(h->beta2, t) / bias2;
    betas(h, c);
    c->step_size = h->lr / bias_correction(h->beta1, t);
    c->rectified = rho > 5;
    if (rho > 5)
        c->step_size *= sqrt(bias2 * (rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho));
}

static void adamax(const struct fnn_hyper *h, int64_t step, struct fnn_coefficients *c)
{
    betas(h, c);
    c->step_size = h->lr / bias_correction(h->beta1, (double)step);
}

static void lion(const struct fnn_hyper *h, int64_t step, struct fnn_coefficients *c)
{
    (void)step;
    betas(h, c);
}

static void rprop(const struct fnn_hyper *h, int64_t step, struct fnn_coefficients *c)
{
    c->eta_minus = h->eta_minus;
    c->eta_plus = h->eta_plus;
    c->smallest_step = h->smallest_step;
    c->largest_step = h->largest_step;
    c->first_step = step == 1;
}

/* The rate of a step is that of the step before, decayed: eta = lr / (1 + lambd lr t)^alpha. */
static double asgd_rate(const struct fnn_hyper *h, double t)
{
    return h->lr / pow(1 + h->lambd * h->lr * t, h->alpha);
}

static void asgd_advance(struct fnn_hyper *h, int64_t step)
{
    h->eta_now = step == 1 || h->eta < 0 ? asgd_rate(h, (double)step - 1) : h->eta;
    h->eta = asgd_rate(h, (double)step);
}

/* p = (1 - lambd eta) p - eta g;  the average is p up to step t0 + 1, then weighs all steps alike */
static void asgd(const struct fnn_hyper *h, int64_t step, struct fnn_coefficients *c)
{
    const double since = (double)step - 1 - h->t0;
    c->shrink = 1 - h->lambd * h->eta_now;
    c->step_size = h->eta_now;
    c->average_weight = since > 1 ? 1 / since : 1;
}

/* The rate of a step of schedule-free AdamW, which rises in a line for warmup_steps. */
static double warm_rate(const struct fnn_hyper *h, double t)
{
    return t < h->warmup_steps ? h->lr * (t / h->warmup_steps) : h->lr;
}

/* The weight of a step in the average x. */
static double schedule_free_weight(const struct fnn_hyper *h, double t)
{
    return pow(t, h->r) * pow(h->lr_max, h->weight_lr_power);
}

/* lr_max = max(lr_max, lr), weight_sum += t^r lr_max^weight_lr_power.  Where they are not known, they become what they
 * would be if the hyperparameters had always been these. */
static void schedule_free_advance(struct fnn_hyper *h, int64_t step)
{
    const double rate = warm_rate(h, (double)step);
    if (step == 1) {
        h->weight_sum = h->lr_max = 0;
    } else if (h->weight_sum < 0) {
        h->weight_sum = 0;
        for (int64_t t = 1; t < step; t++) {
            h->lr_max = warm_rate(h, (double)t);
            if (h->r == 0 && (double)t >= h->warmup_steps) { /* all weights are equal from here on */
                h->weight_sum += (double)(step - t) * schedule_free_weight(h, (double)t);
                break;
            }
            h->weight_sum += schedule_free_weight(h, (double)t);
        }
    }
    h->lr_max = rate > h->lr_max ? rate : h->lr_max;
    h->weight_sum += schedule_free_weight(h, (double)step);
}

/* c = weight / weight_sum;  u = g / (sqrt(v) / sqrt(1 - beta2^t) + eps) + weight_decay y
 * y += c (z - y) + lr (beta1 (1 - c) - 1) u;  z -= lr u */
static void schedule_free(const struct fnn_hyper *h, int64_t step, struct fnn_coefficients *c)
{
    const double weight = schedule_free_weight(h, (double)step);
    betas(h, c);
    c->step_size = warm_rate(h, (double)step);
    c->average_weight = h->weight_sum > 0 ? weight / h->weight_sum : 0;
    c->grad_step_size = c->step_size * (h->beta1 * (1 - c->average_weight) - 1);
    c->inv_sqrt_bias2 = 1 / sqrt(bias_correction(h->beta2, (double)step));
    c->late_decay = h->weight_decay;
    c->weight_decay = 0;
    c->first_step = step == 1;
}

/* Adafactor and Muon: the decay is decoupled, and the kernel is only p -= step_size u, for a u computed before. */
static void whole(const struct fnn_hyper *h, int64_t step, struct fnn_coefficients *c)
{
    (void)step;
    c->shrink = 1 - h->lr * h->weight_decay;
    c->weight_decay = 0;
    c->grad_sign = 1;
}

const struct fnn_rule fnn_rules[] = {
    {"sgd_step", 0, 0, sgd, NULL, FNN_ELEMENTS},
    {"adagrad_step", 1, -1, adagrad, NULL, FNN_ELEMENTS},
    {"rmsprop_step", 1, 2, rmsprop, NULL, FNN_ELEMENTS},
    {"adadelta_step", 2, -1, adadelta, NULL, FNN_ELEMENTS},
    {"adam_step", 2, -1, adam, NULL, FNN_ELEMENTS},
    {"nadam_step", 2, -1, nadam, nadam_advance, FNN_ELEMENTS},
    {"radam_step", 2, -1, radam, NULL, FNN_ELEMENTS},
    {"adamax_step", 2, -1, adamax, NULL, FNN_ELEMENTS},
    {"lion_step", 1, -1, lion, NULL, FNN_ELEMENTS},
    {"rprop_step", 2, -1, rprop, NULL, FNN_ELEMENTS},
    {"asgd_step", 1, -1, asgd, asgd_advance, FNN_ELEMENTS},
    {"schedulefreeadamw_step", 2, -1, schedule_free, schedule_free_advance, FNN_ELEMENTS},
    {"adafactor_step", 0, -1, whole, NULL, FNN_ADAFACTOR},
    {"muon_step", 1, -1, whole, NULL, FNN_MUON},
    {NULL, 0, -1, NULL, NULL, FNN_ELEMENTS},
};

/* Weight decay adds weight_decay p to the gradient. Decoupled, and in all rules of Keras, it shrinks p itself before
 * the step: p *= 1 - lr weight_decay. ONNX shrinks it after the step, without lr. */
static void decay(const struct fnn_hyper *h, struct fnn_coefficients *c)
{
    if (h->compat == FNN_ONNX && h->decoupled)
        c->shrink = 1 - h->weight_decay;
    else if (h->compat == FNN_KERAS || h->decoupled)
        c->shrink = 1 - h->lr * h->weight_decay;
    else
        c->weight_decay = h->weight_decay;
}

/* One by one: for the struct as a whole, GCC takes rep stos, which is slow to start. */
#define FNN_ZERO(name) c->name = 0;

void fnn_set_coefficients(const struct fnn_rule *rule, const struct fnn_hyper *h, int64_t step,
                          struct fnn_coefficients *c)
{
    FNN_COEFFICIENTS(FNN_ZERO)
    c->lr = h->lr;
    c->eps = h->eps;
    c->shrink = 1;
    c->grad_sign = h->maximize ? -1 : 1;
    decay(h, c);
    rule->coefficients(h, step, c);
}
