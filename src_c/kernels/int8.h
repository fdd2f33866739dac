/* Products with a weight of small integers, for inference. A row of x is rounded to integers from -127 to 127 times a scale
 * of its own; a column of the weight has integers from -63 to 63, and a scale. Sums of integers are exact, so every order
 * of them has the same bits. Those of x are stored plus 128: 2 * 255 * 63 is below 2^15, so no step saturates. */

/* q = round(127 x / largest |x|) + 128, and 128 up to `padded`; returns largest |x| / 127. The scale of a row with NaN or an
 * infinity is NaN; numbers below 1e-290 count as zeros. */
KERNEL_FN double FN(quantize_row)(const REAL *x, ptrdiff_t n, ptrdiff_t padded, uint8_t *q)
{
    const double to_low_byte = 6755399441055744.0 + 128; /* 1.5 * 2^52: a sum with it ends in the rounded number */
    INT largest = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        INT bits;
        memcpy(&bits, x + i, sizeof bits);
        bits &= ~SIGN_BIT;
        largest = bits > largest ? bits : largest; /* the order of numbers without a sign; NaN is above infinity */
    }
    REAL most;
    memcpy(&most, &largest, sizeof most);
    const int finite = most < (REAL)INFINITY;
    const double inverse = finite && most > 1e-290 ? 127.0 / most : 0.0;
    for (ptrdiff_t i = 0; i < n; i++) {
        const double sum = (finite ? x[i] : 0) * inverse + to_low_byte;
        uint64_t bits;
        memcpy(&bits, &sum, sizeof bits);
        q[i] = (uint8_t)bits;
    }
    for (ptrdiff_t i = n; i < padded; i++)
        q[i] = 128;
    return finite ? most / 127.0 : NAN;
}

/* sums[r, c] = the sum of q[r, k] w[k, c] over `groups` of 4 k, for the columns of a panel: [group][column][4] */
INLINE void LANE(int8_tile)(const uint8_t *q, ptrdiff_t row, const int8_t *w, ptrdiff_t groups, int32_t *sums,
                            const int ROWS)
{
    enum { VECS = FNN_INT8_COLUMNS / INT8_LANES };
    int8_sums acc[FNN_INT8_ROWS][VECS];
#define EACH(r, v) UNROLL for (int r = 0; r < ROWS; r++) UNROLL for (int v = 0; v < VECS; v++)
    EACH(r, v) acc[r][v] = int8_zero();
    for (ptrdiff_t k = 0; k < groups; k++) {
        const int8_t *group = w + k * 4 * FNN_INT8_COLUMNS;
        UNROLL for (int r = 0; r < ROWS; r++)
        {
            int32_t four;
            memcpy(&four, q + r * row + 4 * k, sizeof four);
            UNROLL for (int v = 0; v < VECS; v++) acc[r][v] = int8_add(acc[r][v], four, group + v * 4 * INT8_LANES);
        }
    }
    EACH(r, v) int8_store(sums + r * FNN_INT8_COLUMNS + v * INT8_LANES, acc[r][v]);
#undef EACH
}

/* Rows of one panel, whose first bytes are 128 times the sums of its columns: y = scale of the row * scale * sum + bias */
INLINE void LANE(int8_panel)(const struct fnn_int8 *of, const uint8_t *q, ptrdiff_t row, const double *row_scales,
                             ptrdiff_t first, ptrdiff_t rows, ptrdiff_t panel)
{
    const ptrdiff_t groups = row / 4, col = panel * FNN_INT8_COLUMNS;
    const ptrdiff_t width = of->n_out - col < FNN_INT8_COLUMNS ? of->n_out - col : FNN_INT8_COLUMNS;
    const int8_t *w = of->weight + panel * FNN_INT8_COLUMNS * 4 * (groups + 1);
    const REAL *bias = of->bias;
    int32_t offsets[FNN_INT8_COLUMNS], sums[FNN_INT8_ROWS * FNN_INT8_COLUMNS];
    memcpy(offsets, w, sizeof offsets);
    w += sizeof offsets;
    for (ptrdiff_t r = 0; r < rows; r += FNN_INT8_ROWS) {
        const ptrdiff_t height = rows - r < FNN_INT8_ROWS ? rows - r : FNN_INT8_ROWS;
        if (height == FNN_INT8_ROWS)
            LANE(int8_tile)(q + r * row, row, w, groups, sums, FNN_INT8_ROWS);
        else
            for (ptrdiff_t i = 0; i < height; i++)
                LANE(int8_tile)(q + (r + i) * row, row, w, groups, sums + i * FNN_INT8_COLUMNS, 1);
        for (ptrdiff_t i = 0; i < height; i++) {
            REAL *y = (REAL *)of->y + (first + r + i) * of->n_out + col;
            const int32_t *sum = sums + i * FNN_INT8_COLUMNS;
            for (ptrdiff_t c = 0; c < width; c++) {
                const double scaled = (double)(sum[c] - offsets[c]) * (row_scales[r + i] * of->scale[col + c]);
                y[c] = (REAL)(bias ? scaled + bias[col + c] : scaled);
            }
        }
    }
}

/* Panels panel .. panel + panels - 1 of all rows; `row` bytes of q are in this thread's memory for each row of a block. */
KERNEL_FN void FN(linear_int8)(const struct fnn_int8 *of, ptrdiff_t panel, ptrdiff_t panels)
{
    const ptrdiff_t row = (of->n_in + 3) / 4 * 4;
    double *row_scales = fnn_workspace();
    uint8_t *q = (uint8_t *)(row_scales + FNN_INT8_BLOCK);
    const ptrdiff_t room = FNN_WORKSPACE_BYTES - FNN_INT8_BLOCK * (ptrdiff_t)sizeof(double);
    const ptrdiff_t fitting = row == 0 || room / row > FNN_INT8_BLOCK ? FNN_INT8_BLOCK : room / row;
    for (ptrdiff_t first = 0; first < of->rows; first += fitting) {
        const ptrdiff_t rows = of->rows - first < fitting ? of->rows - first : fitting;
        for (ptrdiff_t r = 0; r < rows; r++)
            row_scales[r] = FN(quantize_row)((const REAL *)of->x + (first + r) * of->n_in, of->n_in, row, q + r * row);
        for (ptrdiff_t p = panel; p < panel + panels; p++)
            LANE(int8_panel)(of, q, row, row_scales, first, rows, p);
    }
}
