/* The interface of the C kernels: a table of kernels for each instruction set and dtype, and the choice between
 * them. */
#ifndef FASTNN_H
#define FASTNN_H

#include <stddef.h>
#include <stdint.h>

#include "rules.h"

/* NaN, infinities, denormals and the order of operations are part of every result. Linking code that was compiled
 * with -ffast-math also makes the whole process flush denormals. GCC defines macros for the single options, too. */
#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__) || \
    defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) || defined(__NO_SIGNED_ZEROS__)
#error "fastnn must be compiled without -ffast-math, -Ofast and -funsafe-math-optimizations: see CFLAGS and CC"
#endif

/* Indices are 64-bit numbers that become ptrdiff_t, and no kernel was ever run on a big-endian processor. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "fastnn needs a little-endian processor: x86-64 or aarch64"
#elif UINTPTR_MAX < UINT64_MAX
#error "fastnn needs 64-bit addresses: x86-64 or aarch64"
#endif

/* Read an index once, so that the value checked is the value used even if another thread changes the array. */
static inline int64_t fnn_read_index(const int64_t *index)
{
    return *(const volatile int64_t *)index;
}

/* c[m, n] = init[m, n] + sum_k a[m, k] b[k, n], all of the kernel's dtype; strides in elements. a and b may be
 * transposed (any strides, one of them 1); the columns of init and c are contiguous. init is a bias row (init_row
 * 0), an output to add to (init = c), or NULL for 0. */
struct fnn_product {
    const void *a, *b, *init;
    void *c;
    ptrdiff_t a_row, a_col, b_row, b_col, init_row, c_row;
    ptrdiff_t rows, cols, depth;
};

enum {
    FNN_ROW_BLOCK = 288,   /* rows of c for which a block of a fits into the L2 cache: a multiple of all tiles */
    FNN_DEPTH_BLOCK = 512, /* columns of that block, and rows of a panel of b, which is 128 bytes wide */
    FNN_PANEL_BYTES = 128 * FNN_DEPTH_BLOCK,
    FNN_STREAMED_ROWS = 12, /* with fewer rows of c, a block of b of more bytes than these is read row by row */
    FNN_STREAMED_BYTES = 1 << 20,
    FNN_WORKSPACE_BYTES = FNN_PANEL_BYTES + 8 * FNN_ROW_BLOCK * FNN_DEPTH_BLOCK + 64,
};

/* Statistics of normalization (kernels/normalization.h): the number of values for each row, and for each column. */
enum {
    FNN_HIGH,
    FNN_LOW,
    FNN_SCALE,
    FNN_ROW_STATISTICS,
    FNN_VARIANCE = FNN_ROW_STATISTICS,
    FNN_GRAD_MEAN,
    FNN_GRAD_SLOPE,
    FNN_COLUMN_STATISTICS,
};

/* The arguments of a loss, all of the kernel's dtype. loss (the single losses) and grad are written unless NULL;
 * weight is NULL for 1. An elementwise loss has one value of each array per element. A loss of rows has x and grad
 * of rows x cols, weight and loss with one value per row, and either labels (class indices) or a target like x. */
struct fnn_loss {
    const void *x, *target, *weight;
    const int64_t *labels;
    const void *extra; /* another operand of some losses, one value per element or class; NULL if there is none */
    void *loss, *grad, *grad_extra, *grad_target; /* that of the target only of losses of several vectors a row */
    ptrdiff_t cols;
    double scale; /* of the gradients */
    double params[3];
};

/* Bags of rows of a table, all of the kernel's dtype: the codes of a bag are those from offsets[bag] to
 * offsets[bag + 1] or, without offsets, `size` of them. codes, weight (the table), sample (a factor for each code),
 * scales and counts (kernels/embedding_bag.h) are read; the last three may be NULL. */
enum { FNN_BAG_SUM, FNN_BAG_MEAN, FNN_BAG_MAX };
struct fnn_bags {
    const void *codes, *weight, *sample, *scales, *counts;
    const int64_t *offsets;
    ptrdiff_t size, cols, padding; /* of a bag, of the table; the code that does not count, or -1 */
    int mode;
};

/* Rows of a sparse matrix: row r has values[ends[r]] .. values[ends[r + 1] - 1], of the kernel's dtype, in the columns of
 * the same places, ascending. Row i of a batch is row order[i], or start + i if order is NULL. */
struct fnn_sparse {
    const void *values;
    const int64_t *columns, *ends, *order;
    ptrdiff_t start;
};

/* A product y = x w + bias, of the kernel's dtype but for w: integers and a scale for each column (kernels/int8.h). The
 * weight is in panels of FNN_INT8_COLUMNS columns: for each column 128 times the sum of its integers (int32), then for each
 * 4 rows of w and each column these 4. */
enum {
    FNN_INT8_COLUMNS = 16,
    FNN_INT8_ROWS = 4,         /* of a tile */
    FNN_INT8_BLOCK = 256,      /* rows that are rounded at a time, at most */
    FNN_INT8_MOST_IN = 1 << 17 /* rows of w: a sum of 255 * 63 for each is below 2^31 */
};
struct fnn_int8 {
    const void *x;
    const int8_t *weight;
    const double *scale;
    const void *bias; /* or NULL */
    void *y;
    ptrdiff_t rows, n_in, n_out;
};

/* What becomes of a gradient before an update: clamp(scale grad, -max_value, max_value) + l1 sign(param) + l2 param. */
struct fnn_adjustment {
    double scale, max_value, l1, l2;
};

/* The kernels of one dtype; kernels of a group have one signature and are also found by their place in the struct. */
#define FNN_KERNEL(result, name, arguments) result(*name) arguments;
struct fnn_kernels {
#include "kernels/kernels.def"
};
#undef FNN_KERNEL

/* A dtype by its number, an index of tables; a number of it takes 4 << dtype bytes. */
enum { FNN_FLOAT32, FNN_FLOAT64, FNN_DTYPES };

struct fnn_isa {
    const char *name;
    int lanes; /* floats in a register */
    struct fnn_kernels kernels[FNN_DTYPES];
};

/* dispatch.c */
int fnn_isa_count(void); /* instruction sets compiled in, best first */
const struct fnn_isa *fnn_isa_at(int index);
int fnn_isa_supported(int index); /* whether this processor and the operating system support it */
int fnn_kernel_count(void);       /* names and groups of kernels.def, in its order */
const char *fnn_kernel_name(int index);
const char *fnn_kernel_group(int index); /* "" for kernels that share their signature with no other */
void *fnn_workspace(void);               /* memory of this thread for a packed block of a and a packed panel of b */

/* random.c: words start .. start + n - 1 of a Philox stream, numbers of two words each, and a shuffled 0 .. n - 1 */
void fnn_random_uint32(uint64_t seed, uint64_t stream, uint64_t start, uint32_t *out, ptrdiff_t n);
void fnn_random_uniform(uint64_t seed, uint64_t stream, uint64_t start, double *out, ptrdiff_t n);
void fnn_random_permutation(uint64_t seed, uint64_t stream, int64_t *out, ptrdiff_t n);

/* process.c: the number of forks that led to this process; after a fork the threads of pool.c do not exist */
int fnn_forked(void);
void fnn_watch_forks(void);
double fnn_nanoseconds(void); /* monotonic clock */

#endif
