/* Matrix products. The contract: each output element is ONE chain of FMAs over k, in ascending order, started from its
 * initial value. k is never split over lanes or threads, so tile shape, register width, number of rows and number of
 * threads change no bit. Lanes run along the columns of b and c, which are read and written in place, unpacked.
 *
 * c[m, n] = init[m, n] + sum_k a[m, k] b[k, n]
 *
 * a has any strides (its elements are broadcast), which gives x W and x^T g from one kernel. init is a bias row
 * (init_stride 0), an output to add to (init = c), or NULL for 0.
 */
typedef struct {
    const REAL *a, *b, *init;
    REAL *c;
    ptrdiff_t a_row, a_col, b_row, c_row, init_row, depth;
} FNN_CAT(product, BITS);
#define PRODUCT FNN_CAT(product, BITS)

/* One tile: ROWS x VECS registers of c, the last one partial if IS_TAIL. All three are constants once inlined. */
INLINE void LANE(tile)(const PRODUCT *q, ptrdiff_t row, ptrdiff_t col, const int ROWS, const int VECS,
                       const int IS_TAIL, TAIL tail)
{
    VEC acc[12][4], b[4];
#define EACH_VEC(v) _Pragma("GCC unroll 4") for (int v = 0; v < VECS; v++)
#define EACH_ROW(r) _Pragma("GCC unroll 12") for (int r = 0; r < ROWS; r++)
#define PARTIAL(v) (IS_TAIL && v == VECS - 1)

    EACH_ROW(r) EACH_VEC(v)
    {
        acc[r][v] = K(0);
        if (q->init) {
            const REAL *p = q->init + (row + r) * q->init_row + col + v * LANES;
            acc[r][v] = PARTIAL(v) ? v_load_tail(p, tail) : v_load(p);
        }
    }

    const REAL *a = q->a + row * q->a_row, *bk = q->b + col;
    for (ptrdiff_t k = 0; k < q->depth; k++, a += q->a_col, bk += q->b_row) {
        EACH_VEC(v) b[v] = PARTIAL(v) ? v_load_tail(bk + v * LANES, tail) : v_load(bk + v * LANES);
        EACH_ROW(r)
        {
            const VEC ar = v_splat(a[r * q->a_row]);
            EACH_VEC(v) acc[r][v] = v_fma(ar, b[v], acc[r][v]);
        }
    }

    EACH_ROW(r) EACH_VEC(v)
    {
        REAL *p = q->c + (row + r) * q->c_row + col + v * LANES;
        if (PARTIAL(v))
            v_store_tail(p, acc[r][v], tail);
        else
            v_store(p, acc[r][v]);
    }
#undef EACH_VEC
#undef EACH_ROW
#undef PARTIAL
}

/* All rows of a column panel VECS registers wide. The heights are few, to keep the code small: 11 = 8 + 2 + 1. */
INLINE void LANE(panel)(const PRODUCT *q, ptrdiff_t rows, ptrdiff_t col, const int VECS, const int IS_TAIL, TAIL tail)
{
    ptrdiff_t r = 0;
    for (; r + TILE_ROWS <= rows; r += TILE_ROWS)
        LANE(tile)(q, r, col, TILE_ROWS, VECS, IS_TAIL, tail);
#define FNN_HEIGHT(height)                                                                                   \
    if (TILE_ROWS > height && rows - r >= height) {                                                          \
        LANE(tile)(q, r, col, height, VECS, IS_TAIL, tail);                                                  \
        r += height;                                                                                         \
    }
    FNN_HEIGHT(8)
    FNN_HEIGHT(4)
    FNN_HEIGHT(2)
    FNN_HEIGHT(1)
#undef FNN_HEIGHT
}

KERNEL_FN void FN(panel_full)(const PRODUCT *q, ptrdiff_t rows, ptrdiff_t col)
{
    LANE(panel)(q, rows, col, 2, 0, v_tail(0));
}
KERNEL_FN void FN(panel_wide_tail)(const PRODUCT *q, ptrdiff_t rows, ptrdiff_t col, ptrdiff_t left)
{
    LANE(panel)(q, rows, col, 2, 1, v_tail(left));
}
KERNEL_FN void FN(panel_tail)(const PRODUCT *q, ptrdiff_t rows, ptrdiff_t col, ptrdiff_t left)
{
    LANE(panel)(q, rows, col, 1, 1, v_tail(left));
}
KERNEL_FN void FN(panel_single)(const PRODUCT *q, ptrdiff_t rows, ptrdiff_t col)
{
    LANE(panel)(q, rows, col, 1, 0, v_tail(0));
}

/* Rows of b that lie a multiple of 1 KiB apart fall into few sets of the caches and push each other out. Such a panel is
 * copied together first, if enough rows of c use it. */
enum { FNN_CAT(PACK_DEPTH_, BITS) = 256, FNN_CAT(PACK_STRIDE_, BITS) = 1024 / sizeof(REAL) };
#define PACK_DEPTH FNN_CAT(PACK_DEPTH_, BITS)
#define PACK_STRIDE FNN_CAT(PACK_STRIDE_, BITS)

KERNEL_FN void FN(panel_packed)(const PRODUCT *q, ptrdiff_t rows, ptrdiff_t col)
{
    REAL panel[PACK_DEPTH * 2 * (sizeof(VEC) / sizeof(REAL))] __attribute__((aligned(64)));
    for (ptrdiff_t k = 0; k < q->depth; k++)
        for (int v = 0; v < 2; v++)
            v_store(panel + (2 * k + v) * LANES, v_load(q->b + k * q->b_row + col + v * LANES));
    PRODUCT packed = *q;
    packed.b = panel;
    packed.b_row = 2 * LANES;
    packed.c += col;
    packed.init = q->init ? q->init + col : NULL;
    LANE(panel)(&packed, rows, 0, 2, 0, v_tail(0));
}

KERNEL_FN void FN(matmul)(const REAL *a, ptrdiff_t a_row, ptrdiff_t a_col, const REAL *b, ptrdiff_t b_row,
                          const REAL *init, ptrdiff_t init_row, REAL *c, ptrdiff_t c_row, ptrdiff_t rows,
                          ptrdiff_t cols, ptrdiff_t depth)
{
    const PRODUCT q = {a, b, init, c, a_row, a_col, b_row, c_row, init_row, depth};
    const int pack = b_row % PACK_STRIDE == 0 && depth <= PACK_DEPTH && rows >= 4 * TILE_ROWS;
    ptrdiff_t col = 0;
    for (; col + 2 * LANES <= cols; col += 2 * LANES)
        if (pack)
            FN(panel_packed)(&q, rows, col);
        else
            FN(panel_full)(&q, rows, col);
    const ptrdiff_t left = cols - col;
    if (left > LANES)
        FN(panel_wide_tail)(&q, rows, col, left - LANES);
    else if (left == LANES)
        FN(panel_single)(&q, rows, col);
    else if (left > 0)
        FN(panel_tail)(&q, rows, col, left);
}

/* out[n] (+)= sum_r g[r, n], rows in ascending order */
KERNEL_FN void FN(column_sums)(const REAL *g, ptrdiff_t g_row, const REAL *init, REAL *out, ptrdiff_t rows,
                               ptrdiff_t cols)
{
    for (ptrdiff_t i = 0; i < cols; i += LANES) {
        const ptrdiff_t left = cols - i;
        VEC sum = init ? LANE(load_n)(init + i, left, K(0)) : K(0);
        for (ptrdiff_t r = 0; r < rows; r++)
            sum += LANE(load_n)(g + r * g_row + i, left, K(0));
        LANE(store_n)(out + i, sum, left);
    }
}

/* out[j, i] = x[i, j], in blocks that stay in the first cache */
KERNEL_FN void FN(transpose)(const REAL *x, ptrdiff_t x_row, REAL *out, ptrdiff_t out_row, ptrdiff_t rows,
                             ptrdiff_t cols)
{
    enum { BLOCK = 16 };
    for (ptrdiff_t i0 = 0; i0 < rows; i0 += BLOCK)
        for (ptrdiff_t j0 = 0; j0 < cols; j0 += BLOCK)
            for (ptrdiff_t j = j0; j < cols && j < j0 + BLOCK; j++)
                for (ptrdiff_t i = i0; i < rows && i < i0 + BLOCK; i++)
                    out[j * out_row + i] = x[i * x_row + j];
}
