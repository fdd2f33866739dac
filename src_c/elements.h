/* Element loops in plain C, compiled once for each dtype: integers, comparisons, copies and sums in a fixed order, which gain
 * nothing from an instruction set of their own. Matrices are in C order. Each file is linked by the Cython module of its
 * name, which has the GIL released: nothing here allocates or fails. */
#ifndef FASTNN_ELEMENTS_H
#define FASTNN_ELEMENTS_H

#include "fastnn.h"

/* How a metric reads outputs x (rows, n) and targets: class indices `labels`, or `target` of x's shape, of which the largest
 * number of a row counts, or, with `columns`, each number for itself. Rows whose label is `ignored`, or no class, are not
 * counted. */
struct fnn_reading {
    const int64_t *labels;
    int columns;
    int elements;     /* whether there is a weight for each element, not for each row */
    double threshold; /* outputs above it are predictions of 1 */
    int64_t ignored;
};

/* Targets that a loss takes: any number, 0 to 1, -1 or 1, 0 or more, above 0. */
enum { FNN_ANY, FNN_SHARES, FNN_SIGNS, FNN_NOT_NEGATIVE, FNN_POSITIVE };

enum { FNN_ROW_CHUNK = 128 }; /* rows of a loss whose weights or losses are added up at once */

/* Each loop is a table of its two functions, indexed by dtype. Pointers to numbers of the dtype are void pointers. */
#define FNN_LOOP(result, name, arguments) extern result (*const fnn_##name[FNN_DTYPES]) arguments;

/* metrics.c: `counts` are added to; a weight of NULL is 1 for every row */
FNN_LOOP(void, count_correct,
         (const struct fnn_reading *how, const void *x, const void *target, const void *weight, double *counts,
          ptrdiff_t rows, ptrdiff_t n))
FNN_LOOP(void, count_classes,
         (const struct fnn_reading *how, const void *x, const void *target, const void *weight, double *counts,
          ptrdiff_t rows, ptrdiff_t n))
FNN_LOOP(void, count_top,
         (const struct fnn_reading *how, const void *x, const void *target, const void *weight, double *counts,
          ptrdiff_t rows, ptrdiff_t n, double k))
FNN_LOOP(void, count_errors,
         (const struct fnn_reading *how, const void *x, const void *target, const void *weight, double *counts,
          ptrdiff_t rows, ptrdiff_t n))

/* batches.c */
FNN_LOOP(void, mix_pairs, (void *a, const void *b, ptrdiff_t n, double share))

/* columns.c */
FNN_LOOP(void, gather, (const void *x, const int64_t *index, void *y, ptrdiff_t rows, ptrdiff_t n_in, ptrdiff_t n_out))
FNN_LOOP(void, scatter,
         (const void *g, const int64_t *index, void *grad_x, ptrdiff_t rows, ptrdiff_t n_in, ptrdiff_t n_out))
FNN_LOOP(void, copy_columns,
         (const void *x, ptrdiff_t x_stride, void *y, ptrdiff_t y_stride, double scale, ptrdiff_t rows, ptrdiff_t cols))
FNN_LOOP(void, expand_columns, (const void *x, void *y, ptrdiff_t rows, ptrdiff_t cols))
FNN_LOOP(void, read_labels, (const void *x, ptrdiff_t stride, int64_t *labels, ptrdiff_t rows))

/* targets.c */
FNN_LOOP(ptrdiff_t, bad_target, (const void *target, ptrdiff_t n, int kind))
FNN_LOOP(ptrdiff_t, multi_hot,
         (const int64_t *labels, ptrdiff_t width, void *counts, ptrdiff_t rows, ptrdiff_t classes))

/* weights.c */
FNN_LOOP(ptrdiff_t, bad_weight, (const void *weight, ptrdiff_t n))
FNN_LOOP(double, label_sum,
         (const int64_t *labels, const void *weight, const void *by_class, int64_t ignored, ptrdiff_t rows,
          ptrdiff_t cols))
FNN_LOOP(void, spread, (const void *weight, void *each, ptrdiff_t rows, ptrdiff_t cols))
FNN_LOOP(void, weigh_columns, (const void *columns, void *each, ptrdiff_t rows, ptrdiff_t cols, int filled))
FNN_LOOP(void, present,
         (const void *target, const void *weight, int elements, void *y, void *each, ptrdiff_t rows, ptrdiff_t cols))

/* losses.c */
FNN_LOOP(double, largest_error, (const void *x, const void *target, const void *weight, ptrdiff_t n))
FNN_LOOP(double, scaled_errors, (const void *x, const void *target, const void *weight, ptrdiff_t n, double scale))

/* embedding.c */
FNN_LOOP(int, copy_codes, (const int64_t *codes, void *numbers, ptrdiff_t n, ptrdiff_t num))
#undef FNN_LOOP

/* rows.c: conversions from these dtypes; those of integers and of float16 multiply with a scale. Each dtype of a network has
 * a table of them. */
enum {
    FNN_BOOL,
    FNN_INT8,
    FNN_UINT8,
    FNN_INT16,
    FNN_UINT16,
    FNN_INT32,
    FNN_UINT32,
    FNN_INT64,
    FNN_UINT64,
    FNN_HALF,
    FNN_SINGLE,
    FNN_DOUBLE,
    FNN_SOURCES
};
typedef int (*fnn_convert)(const char *x, ptrdiff_t row_stride, ptrdiff_t col_stride, const int64_t *order, void *y,
                           ptrdiff_t rows, ptrdiff_t cols, double scale);
extern const fnn_convert *const fnn_converts[FNN_DTYPES];

/* The table of a loop that both_dtypes.h has compiled. */
#define FNN_BOTH(name)                                                                                       \
    __typeof__(fnn_##name##_f32) *const fnn_##name[FNN_DTYPES] = {fnn_##name##_f32, fnn_##name##_f64};

/* batches.c and parameters.c: a function for each dtype */
#define FNN_DECLARE(REAL, FN)                                                                                \
    void FN(mix_rows)(const REAL *source, REAL *out, const int64_t *order, const int64_t *partner, ptrdiff_t rows, \
                      ptrdiff_t cols, REAL share);                                                           \
    ptrdiff_t FN(mix_labels)(const int64_t *labels, REAL *out, const int64_t *order, const int64_t *partner, \
                             ptrdiff_t rows, ptrdiff_t classes, REAL share);                                 \
    double FN(largest_magnitude)(const REAL *x, ptrdiff_t n);                                                \
    double FN(scaled_squares)(const REAL *x, ptrdiff_t n, double scale);

#define FNN_F32(name) fnn_##name##_f32
#define FNN_F64(name) fnn_##name##_f64
FNN_DECLARE(float, FNN_F32)
FNN_DECLARE(double, FNN_F64)
#undef FNN_F32
#undef FNN_F64
#undef FNN_DECLARE

/* batches.c */
int fnn_are_rows(const int64_t *order, ptrdiff_t n, ptrdiff_t rows);
void fnn_gather_rows(const char *source, char *out, const int64_t *order, ptrdiff_t rows, ptrdiff_t row_bytes);

/* targets.c, weights.c */
ptrdiff_t fnn_bad_label(const int64_t *labels, ptrdiff_t rows, ptrdiff_t classes, int64_t ignored);
ptrdiff_t fnn_count_label(const int64_t *labels, ptrdiff_t rows, int64_t label);

#endif
