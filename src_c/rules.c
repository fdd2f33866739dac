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

const struct fnn_rule fnn_rules[] = {
    {"sgd_step", 0, 0, sgd, NULL},
    {"adagrad_step", 1, -1, adagrad, NULL},
    {"rmsprop_step", 1, 2, rmsprop, NULL},
    {"adadelta_step", 2, -1, adadelta, NULL},
    {"adam_step", 2, -1, adam, NULL},
    {"nadam_step", 2, -1, nadam, nadam_advance},
    {"radam_step", 2, -1, radam, NULL},
    {"adamax_step", 2, -1, adamax, NULL},
    {"lion_step", 1, -1, lion, NULL},
    {"rprop_step", 2, -1, rprop, NULL},
    {NULL, 0, -1, NULL, NULL},
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
