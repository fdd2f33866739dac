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
    double threshold; /* outputs above it are predictions of 1 */
    int64_t ignored;
};

/* Targets that a loss takes: any number, 0 to 1, -1 or 1. */
enum { FNN_ANY, FNN_SHARES, FNN_SIGNS };

enum { FNN_ROW_CHUNK = 128 }; /* rows of a loss whose weights or losses are added up at once */

#define FNN_DECLARE(REAL, FN)                                                                                \
    /* metrics.c: `counts` are added to; a weight of NULL is 1 for every row */                              \
    void FN(count_correct)(const struct fnn_reading *how, const REAL *x, const REAL *target, const REAL *weight, \
                           double *counts, ptrdiff_t rows, ptrdiff_t n);                                     \
    void FN(count_classes)(const struct fnn_reading *how, const REAL *x, const REAL *target, const REAL *weight, \
                           double *counts, ptrdiff_t rows, ptrdiff_t n);                                     \
    void FN(count_top)(const struct fnn_reading *how, const REAL *x, const REAL *target, const REAL *weight, \
                       double *counts, ptrdiff_t rows, ptrdiff_t n, double k);                               \
    void FN(count_errors)(const REAL *x, const REAL *target, const REAL *weight, double *counts, ptrdiff_t rows, \
                          ptrdiff_t n);                                                                      \
    /* batches.c */                                                                                          \
    void FN(mix_rows)(const REAL *source, REAL *out, const int64_t *order, const int64_t *partner, ptrdiff_t rows, \
                      ptrdiff_t cols, REAL share);                                                           \
    ptrdiff_t FN(mix_labels)(const int64_t *labels, REAL *out, const int64_t *order, const int64_t *partner, \
                             ptrdiff_t rows, ptrdiff_t classes, REAL share);                                 \
    /* rows.c */                                                                                             \
    void FN(widen_uint8)(const uint8_t *x, const int64_t *order, REAL *y, ptrdiff_t rows, ptrdiff_t cols, double scale); \
    void FN(widen_half)(const uint16_t *x, const int64_t *order, REAL *y, ptrdiff_t rows, ptrdiff_t cols, double scale); \
    /* columns.c */                                                                                          \
    void FN(gather)(const REAL *x, const int64_t *index, REAL *y, ptrdiff_t rows, ptrdiff_t n_in, ptrdiff_t n_out); \
    void FN(scatter)(const REAL *g, const int64_t *index, REAL *grad_x, ptrdiff_t rows, ptrdiff_t n_in,      \
                     ptrdiff_t n_out);                                                                       \
    /* losses.c */                                                                                           \
    ptrdiff_t FN(bad_target)(const REAL *target, ptrdiff_t n, int kind);                                     \
    ptrdiff_t FN(bad_weight)(const REAL *weight, ptrdiff_t n);                                               \
    double FN(label_sum)(const int64_t *labels, const REAL *weight, const REAL *by_class, int64_t ignored,   \
                         ptrdiff_t rows, ptrdiff_t cols);                                                    \
    void FN(spread)(const REAL *weight, REAL *each, ptrdiff_t rows, ptrdiff_t cols);                         \
    double FN(largest_error)(const REAL *x, const REAL *target, const REAL *weight, ptrdiff_t n);            \
    double FN(scaled_errors)(const REAL *x, const REAL *target, const REAL *weight, ptrdiff_t n, double scale); \
    /* embedding.c */                                                                                        \
    int FN(copy_codes)(const int64_t *codes, REAL *numbers, ptrdiff_t n, ptrdiff_t num);                     \
    /* parameters.c */                                                                                       \
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

/* losses.c */
ptrdiff_t fnn_bad_label(const int64_t *labels, ptrdiff_t rows, ptrdiff_t classes, int64_t ignored);
ptrdiff_t fnn_count_label(const int64_t *labels, ptrdiff_t rows, int64_t label);

#endif
