/* The kernels of optimizers.h and parameters.h, which have pointers to REAL, with void pointers. */
#define FNN_BORDER_OF_UPDATE(name)                                                                           \
    KERNEL_FN void FN(name)(void *param, const void *grad, void *s0, void *s1, void *s2, ptrdiff_t n,        \
                            const double *c)                                                                 \
    {                                                                                                        \
        TYPED(name)(param, grad, s0, s1, s2, n, c);                                                          \
    }
FNN_BORDER_OF_UPDATE(sgd_step)
FNN_BORDER_OF_UPDATE(adagrad_step)
FNN_BORDER_OF_UPDATE(rmsprop_step)
FNN_BORDER_OF_UPDATE(adadelta_step)
FNN_BORDER_OF_UPDATE(adam_step)
FNN_BORDER_OF_UPDATE(nadam_step)
FNN_BORDER_OF_UPDATE(radam_step)
FNN_BORDER_OF_UPDATE(adamax_step)
FNN_BORDER_OF_UPDATE(lion_step)
FNN_BORDER_OF_UPDATE(rprop_step)
FNN_DEFINE_MAP2(lerp, p[0], p[1])

KERNEL_FN void FN(adjust_grad)(const void *param, const void *grad, void *out, ptrdiff_t n, const double *c)
{
    TYPED(adjust_grad)(param, grad, out, n, c);
}
KERNEL_FN double FN(sum_of_squares)(const void *x, ptrdiff_t n)
{
    return TYPED(sum_of_squares)(x, n);
}
KERNEL_FN void FN(max_norm)(void *weight, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t cols, double max_norm)
{
    TYPED(max_norm)(weight, row, rows, cols, max_norm);
}
