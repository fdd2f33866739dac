/* Prints a hash of what every kernel computes, for one instruction set: equal lines mean equal bits.
 *
 *     kernel_hash [isa]      the best available one by default
 *
 * tools/check_neon.sh compares the NEON kernels, under an emulator, with those of this machine.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fastnn.h"

enum { N = 203, ROWS = 29, COLS = 7 }; /* N = ROWS * COLS, no multiple of any register */

static uint64_t fnv(const void *data, size_t bytes)
{
    const unsigned char *p = data;
    uint64_t hash = 1469598103934665603u;
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ p[i]) * 1099511628211u;
    return hash;
}

/* Numbers without a library: -8 .. 8 in steps that are exact in both dtypes, with a few special values. */
static double number(int i, int salt)
{
    static const double special[] = {0.0, -0.0, 1e-40, -1e-40, 30.0, -30.0, 100.0, -104.0, INFINITY, -INFINITY, NAN};
    const uint32_t u = (uint32_t)(i * 2 + salt) * 2654435761u;
    if (salt == 1 && i % 17 == 0)
        return special[i / 17 % 11];
    return ((double)(u >> 12) - 524288.0) / 65536.0;
}

/* Of all rules at once. */
static const struct fnn_coefficients coefficients = {
    .lr = 0.01,
    .step_size = 0.01,
    .grad_step_size = 0.2,
    .weight_decay = 0.1,
    .shrink = 0.99,
    .grad_sign = -1,
    .eps = 1e-8,
    .inner_eps = 0.1,
    .momentum = 0.5,
    .grad_scale = 0.1,
    .nesterov_momentum = 0.9,
    .nesterov_grad_scale = 0.1,
    .alpha = 0.9,
    .one_minus_alpha = 0.1,
    .rho = 0.9,
    .one_minus_rho = 0.1,
    .beta1 = 0.9,
    .one_minus_beta1 = 0.1,
    .beta2 = 0.75,
    .one_minus_beta2 = 0.25,
    .inv_sqrt_bias2 = 1.5,
    .rectified = 1,
    .eta_minus = 0.5,
    .eta_plus = 1.25,
    .smallest_step = 0.01,
    .largest_step = 0.9,
    .first_step = 0,
};
typedef void (*map1)(const void *, void *, ptrdiff_t, const double *);
typedef void (*map2)(const void *, const void *, void *, ptrdiff_t, const double *);
typedef void (*rows1)(const void *, void *, ptrdiff_t, ptrdiff_t, const double *);
typedef void (*rows2)(const void *, const void *, void *, ptrdiff_t, ptrdiff_t, const double *);
typedef double (*loss)(const struct fnn_loss *, ptrdiff_t, ptrdiff_t);
typedef double (*reduce2)(const void *, const void *, ptrdiff_t);
typedef void (*noise)(const void *, void *, ptrdiff_t, uint64_t, uint64_t, uint64_t, const double *);
typedef void (*update)(void *, const void *, void *, void *, void *, ptrdiff_t, const struct fnn_coefficients *);

#define DEFINE_HASHES(REAL, dtype)                                                                                     \
    static void print_##dtype(const char *name, REAL *out, int n)                                                      \
    {                                                                                                                  \
        for (int i = 0; i < n; i++)                                                                                    \
            if (out[i] != out[i])                                                                                      \
                out[i] = (REAL)12345; /* the payload of a NaN is no promise */                                         \
        printf("%-40s %s %016llx\n", name, #dtype, (unsigned long long)fnv(out, (size_t)n * sizeof *out));             \
    }                                                                                                                  \
                                                                                                                       \
    static void hash_group_##dtype(const void *const *table, int index, const char *group, const char *name)           \
    {                                                                                                                  \
        REAL x[N], y[N], z[N], q[N], w[N], out[3 * N + 1] = {0};                                                       \
        int64_t labels[ROWS];                                                                                          \
        const double params[3] = {strstr(name, "maxout") ? 3.0 : 0.75, 20.0, 0.0};                                     \
        const int special = strncmp(group, "map", 3) == 0;                                                             \
        for (int i = 0; i < N; i++) {                                                                                  \
            x[i] = (REAL)number(i, special), y[i] = (REAL)number(i, 2);                                                \
            q[i] = (REAL)fabs(number(i, 4) / 9), w[i] = (REAL)fabs(number(i, 6)), z[i] = (REAL)fabs(number(i, 8));     \
        }                                                                                                              \
        for (int r = 0; r < ROWS; r++)                                                                                 \
            labels[r] = r % COLS;                                                                                      \
        const void *kernel = table[index];                                                                             \
        if (!strcmp(group, "map1"))                                                                                    \
            ((map1)kernel)(x, out, N, params);                                                                         \
        else if (!strcmp(group, "map2"))                                                                               \
            ((map2)kernel)(y, x, out, N, params);                                                                      \
        else if (!strcmp(group, "rows1"))                                                                              \
            ((rows1)kernel)(strcmp(name, "entropy") ? x : q, out, ROWS, COLS, params);                                 \
        else if (!strcmp(group, "rows2"))                                                                              \
            ((rows2)kernel)(y, q, out, ROWS, COLS, params);                                                            \
        else if (strstr(group, "loss")) {                                                                              \
            const int elementwise = !strcmp(group, "loss"), classes = !elementwise && strcmp(name, "cosine_loss");     \
            const struct fnn_loss of = {strcmp(name, "binary_cross_entropy") ? x : q,                                  \
                                        classes ? NULL : q,                                                            \
                                        w,                                                                             \
                                        classes ? labels : NULL,                                                       \
                                        z,                                                                             \
                                        out,                                                                           \
                                        out + N,                                                                       \
                                        out + 2 * N,                                                                   \
                                        COLS,                                                                          \
                                        0.5,                                                                           \
                                        {elementwise ? 0.75 : 3.0, elementwise ? 20.0 : 0.25, 1.0}};                   \
            out[3 * N] = (REAL)((loss)kernel)(&of, 0, elementwise ? N : ROWS);                                         \
        } else if (!strcmp(group, "reduce2")) {                                                                        \
            out[0] = (REAL)((reduce2)kernel)(x, y, N);                                                                 \
        } else if (!strcmp(group, "noise")) {                                                                          \
            const double noisy[3] = {1 << 30, 1.25, 0.5};                                                              \
            ((noise)kernel)(x, out, N, 1, 2, 3, noisy);                                                                \
        } else if (!strcmp(group, "update")) {                                                                         \
            ((update)kernel)(x, y, z, q, w, N, &coefficients);                                                         \
            memcpy(out, x, sizeof x), memcpy(out + N, z, sizeof z);                                                    \
        } else                                                                                                         \
            return;                                                                                                    \
        print_##dtype(name, out, 3 * N + 1);                                                                           \
    }                                                                                                                  \
                                                                                                                       \
    static void hash_rest_##dtype(const struct fnn_kernels *k)                                                         \
    {                                                                                                                  \
        static REAL a[64 * 61], b[61 * 67], c[64 * 67], out[64 * 67], sums[6 * 67];                                    \
        for (int i = 0; i < 64 * 61; i++)                                                                              \
            a[i] = (REAL)number(i, 2);                                                                                 \
        for (int i = 0; i < 61 * 67; i++)                                                                              \
            b[i] = (REAL)number(i, 4);                                                                                 \
        for (int cols = 1; cols <= 67; cols += 3) {                                                                    \
            const struct fnn_product xw = {a, b, b, c, 61, 1, 67, 1, 0, 67, 63, cols, 61};                             \
            const struct fnn_product xtg = {a, b, c, out, 1, 61, 67, 1, 67, 67, 60, cols, 60};                         \
            const struct fnn_product gwt = {a, b, c, out, 61, 1, 1, 61, 67, 67, 63, cols, 61};                         \
            k->matmul(&xw);                                                                                            \
            k->matmul(&xtg);                                                                                           \
            k->matmul(&gwt);                                                                                           \
        }                                                                                                              \
        print_##dtype("matmul", out, 60 * 67);                                                                         \
        k->column_sums(b, 67, NULL, out, 61, 67);                                                                      \
        print_##dtype("column_sums", out, 67);                                                                         \
        k->layer_norm(a, b, c, out, sums, 50, 61, 1e-5);                                                               \
        print_##dtype("layer_norm", out, 50 * 61);                                                                     \
        k->layer_norm_backward(b, a, c, sums, out, 50, 61);                                                            \
        k->norm_gradients(b, a, sums, out, out + 61, 61, 50, 61, 0);                                                   \
        print_##dtype("layer_norm_backward", out, 50 * 61);                                                            \
        k->rms_norm(a, b, NULL, out, sums, 50, 61, 1e-5);                                                              \
        print_##dtype("rms_norm", out, 50 * 61);                                                                       \
        k->rms_norm_backward(b, a, c, sums, out, 50, 61);                                                              \
        print_##dtype("rms_norm_backward", out, 50 * 61);                                                              \
        k->batch_statistics(a, sums, 61, 64, 61, 1e-5);                                                                \
        k->batch_norm(a, b, c, out, sums, 64, 61, 1e-5);                                                               \
        print_##dtype("batch_norm", out, 64 * 61);                                                                     \
        k->batch_norm_gradients(b, a, sums, out, out + 61, 61, 64, 61, 0);                                             \
        print_##dtype("batch_norm_gradients", out, 2 * 61);                                                            \
        k->batch_norm_backward(b, a, c, sums, out, 64, 61);                                                            \
        print_##dtype("batch_norm_backward", out, 64 * 61);                                                            \
        k->update_running(sums, out, out + 61, 64, 61, 0.25);                                                          \
        k->running_statistics(out, sums, out + 122, 61, 1e-5);                                                         \
        print_##dtype("running_statistics", out, 305);                                                                 \
        out[0] = (REAL)k->sum(a, 1001), out[1] = (REAL)k->sum_of_squares(a, 1001);                                     \
        print_##dtype("sum sum_of_squares", out, 2);                                                                   \
        k->prelu(a, b, out, 50, 61);                                                                                   \
        print_##dtype("prelu", out, 50 * 61);                                                                          \
        k->prelu_backward(b, a, c, out, 50, 61);                                                                       \
        print_##dtype("prelu_backward", out, 50 * 61);                                                                 \
        k->prelu_slopes(a, b, 61, NULL, out, 50, 61);                                                                  \
        print_##dtype("prelu_slopes", out, 61);                                                                        \
        for (int i = 0; i < 99; i++)                                                                                   \
            sums[i] = (REAL)(i * 7 % 13);                                                                              \
        k->embedding(sums, b, out, 99, 17);                                                                            \
        print_##dtype("embedding", out, 99 * 17);                                                                      \
        k->embedding_backward(a, sums, out, 99, 17, 17, 2);                                                            \
        print_##dtype("embedding_backward", out, 13 * 17);                                                             \
        const struct fnn_adjustment adjustment = {0.75, 2.0, 0.1, 0.01};                                               \
        k->adjust_grad(a, b, out, 1001, &adjustment);                                                                  \
        print_##dtype("adjust_grad", out, 1001);                                                                       \
        memcpy(out, b, sizeof b);                                                                                      \
        k->max_norm(out, 67, 61, 66, 9.5);                                                                             \
        print_##dtype("max_norm", out, 61 * 67);                                                                       \
    }

DEFINE_HASHES(float, f32)
DEFINE_HASHES(double, f64)

int main(int argc, char **argv)
{
    for (int i = 0; i < fnn_isa_count(); i++) {
        const struct fnn_isa *isa = fnn_isa_at(i);
        if (!fnn_isa_supported(i) || (argc > 1 && strcmp(isa->name, argv[1]) != 0))
            continue;
        for (int k = 0; k < fnn_kernel_count(); k++) {
            hash_group_f32((const void *const *)&isa->kernels[FNN_FLOAT32], k, fnn_kernel_group(k), fnn_kernel_name(k));
            hash_group_f64((const void *const *)&isa->kernels[FNN_FLOAT64], k, fnn_kernel_group(k), fnn_kernel_name(k));
        }
        hash_rest_f32(&isa->kernels[FNN_FLOAT32]);
        hash_rest_f64(&isa->kernels[FNN_FLOAT64]);
        return 0;
    }
    fprintf(stderr, "no such instruction set here\n");
    return 1;
}
