/* Matrix products. The contract: each output element is ONE chain of FMAs over k, in ascending order, started from its
 * initial value. k is never split over lanes or threads, so tile shape, register width, packing, number of rows and
 * number of threads change no bit. Lanes run along the columns of b and c.
 *
 * The strides of a are arbitrary, since its elements are broadcast: one kernel computes x W and x^T g. b is read in
 * place or, if it is transposed, from a packed panel: g W^T.
 */
typedef struct {
    const REAL *a, *b, *init; /* those of fnn_product, for this panel */
    REAL *c;
    ptrdiff_t a_row, a_col, b_row, init_row, c_row, rows, depth;
    int tiled;         /* a is packed in tiles */
    const REAL *ahead; /* the next panel of b, to prefetch, or NULL: */
    ptrdiff_t ahead_row, ahead_rows, ahead_bytes;
} FNN_CAT(panel, BITS);
#define PANEL FNN_CAT(panel, BITS)

/* One tile: ROWS x VECS registers of c, the last one partial if IS_TAIL. All three are constants after inlining. */
INLINE void LANE(tile)(const PANEL *q, ptrdiff_t row, const int ROWS, const int VECS, const int IS_TAIL, TAIL tail)
{
    const ptrdiff_t depth = q->depth, b_row = q->b_row, c_row = q->c_row, init_row = q->init_row;
    VEC acc[12][8], b[8];
#define EACH_VEC(v) UNROLL for (int v = 0; v < VECS; v++)
#define EACH_ROW(r) UNROLL for (int r = 0; r < ROWS; r++)
#define PARTIAL(v) (IS_TAIL && v == VECS - 1)

    const REAL *init = q->init + row * init_row;
    if (q->init) {
        EACH_ROW(r) EACH_VEC(v)
        {
            const REAL *p = init + r * init_row + v * LANES;
            acc[r][v] = PARTIAL(v) ? v_load_tail(p, tail) : v_load(p);
        }
    } else {
        EACH_ROW(r) EACH_VEC(v) acc[r][v] = K(0);
    }

    if (q->init == q->c) /* a later block of k: prefetch the next tile of c */
        EACH_ROW(r) EACH_VEC(v) __builtin_prefetch(q->c + (row + ROWS + r) * c_row + v * LANES, 1);

    const ptrdiff_t a_row = q->tiled ? 1 : q->a_row, a_col = q->tiled ? ROWS : q->a_col;
    const REAL *a = q->a + row * (q->tiled ? depth : a_row), *bk = q->b;
    /* Three pointers with offsets of 0 to 3 rows address twelve rows without running out of registers. */
    const REAL *quad[3] = {a, a + (ROWS > 4 ? 4 : 0) * a_row, a + (ROWS > 8 ? 8 : 0) * a_row};
    const ptrdiff_t three_rows = 3 * a_row;
    for (ptrdiff_t k = 0; k < depth; k++, bk += b_row) {
        EACH_VEC(v) b[v] = PARTIAL(v) ? v_load_tail(bk + v * LANES, tail) : v_load(bk + v * LANES);
        EACH_ROW(r)
        {
            const VEC ar = v_splat(quad[r / 4][r % 4 == 3 ? three_rows : r % 4 * a_row]);
            EACH_VEC(v) acc[r][v] = v_fma(ar, b[v], acc[r][v]);
        }
        quad[0] += a_col;
        quad[1] += a_col;
        quad[2] += a_col;
    }

    REAL *c = q->c + row * c_row;
    EACH_ROW(r) EACH_VEC(v)
    {
        REAL *p = c + r * c_row + v * LANES;
        if (PARTIAL(v))
            v_store_tail(p, acc[r][v], tail);
        else
            v_store(p, acc[r][v]);
    }
#undef EACH_VEC
#undef EACH_ROW
#undef PARTIAL
}

/* Prefetch one of `parts` parts of the next panel into the L2 cache. */
INLINE void LANE(fetch_ahead)(const PANEL *panel, ptrdiff_t part, ptrdiff_t parts)
{
    const ptrdiff_t stop = panel->ahead_rows * (part + 1) / parts;
    for (ptrdiff_t row = panel->ahead_rows * part / parts; row < stop; row++)
        for (ptrdiff_t byte = 0; byte < panel->ahead_bytes; byte += 64)
            __builtin_prefetch((const char *)(panel->ahead + row * panel->ahead_row) + byte, 0, 2);
}

/* All rows of a panel VECS registers wide. */
INLINE void LANE(panel)(const PANEL *panel, const int VECS, const int IS_TAIL, TAIL tail)
{
    const ptrdiff_t rows = panel->rows;
    ptrdiff_t r = 0;
    for (; r + TILE_ROWS <= rows; r += TILE_ROWS) {
        if (panel->ahead)
            LANE(fetch_ahead)(panel, r / TILE_ROWS, rows / TILE_ROWS);
        LANE(tile)(panel, r, TILE_ROWS, VECS, IS_TAIL, tail);
    }
#define FNN_HEIGHT(height)                                                                                   \
    if (TILE_ROWS > height && rows - r >= height) {                                                          \
        LANE(tile)(panel, r, height, VECS, IS_TAIL, tail);                                                   \
        r += height;                                                                                         \
    }
    FNN_HEIGHT(8)
    FNN_HEIGHT(4)
    FNN_HEIGHT(2)
    FNN_HEIGHT(1)
#undef FNN_HEIGHT
}

/* A panel of `width` columns, at most two registers. */
KERNEL_FN void FN(narrow_panel)(const PANEL *panel, ptrdiff_t width)
{
    if (width == 2 * LANES)
        LANE(panel)(panel, 2, 0, v_tail(0));
    else if (width > LANES)
        LANE(panel)(panel, 2, 1, v_tail(width - LANES));
    else if (width == LANES)
        LANE(panel)(panel, 1, 0, v_tail(0));
    else
        LANE(panel)(panel, 1, 1, v_tail(width));
}

/* Advance to the next panel, `cols` columns to the right. */
INLINE void LANE(advance)(PANEL *panel, ptrdiff_t cols)
{
    panel->b += cols;
    panel->c += cols;
    panel->init += panel->init ? cols : 0;
}

/* For up to three rows, which need wider panels to run enough chains at the same time. Returns the number of columns
 * done. */
KERNEL_FN ptrdiff_t FN(wide_panels)(PANEL *panel, ptrdiff_t cols)
{
    ptrdiff_t col = 0;
    for (; panel->rows == 1 && col + 8 * LANES <= cols; col += 8 * LANES) {
        LANE(tile)(panel, 0, 1, 8, 0, v_tail(0));
        LANE(advance)(panel, 8 * LANES);
    }
    for (; col + 4 * LANES <= cols; col += 4 * LANES) {
        if (panel->rows > 1)
            LANE(tile)(panel, 0, 2, 4, 0, v_tail(0));
        if (panel->rows % 2)
            LANE(tile)(panel, panel->rows - 1, 1, 4, 0, v_tail(0));
        LANE(advance)(panel, 4 * LANES);
    }
    return col;
}

/* Strides for which packing may pay: multiples of 1024 bytes map rows to few sets of the caches; with more than 2048
 * bytes each row that is read is on another page. */
#define BAD_STRIDE(stride) ((stride) * (ptrdiff_t)sizeof(REAL) % 1024 == 0)
#define FAR_APART(stride) ((stride) * (ptrdiff_t)sizeof(REAL) > 2048)

/* Four rows of b, or one, times numbers of a, added to up to three rows of c: every row of b is read from its beginning to its
 * end. `start` is init in the first step, c later, and NULL for 0. */
INLINE void LANE(stream_rows)(const PANEL *q, const REAL *start, ptrdiff_t start_row, ptrdiff_t k, ptrdiff_t cols,
                              const int ROWS, const int DEPTH)
{
    const REAL *b = q->b + k * q->b_row;
    VEC ak[3][4];
    UNROLL for (int r = 0; r < ROWS; r++) UNROLL for (int i = 0; i < DEPTH; i++) ak[r][i] =
        v_splat(q->a[r * q->a_row + (k + i) * q->a_col]);
    for (ptrdiff_t col = 0; col < cols; col += LANES) {
        const int whole = cols - col >= LANES;
        const TAIL tail = v_tail(whole ? 0 : cols - col);
        VEC bk[4];
        UNROLL for (int i = 0; i < DEPTH; i++)
        {
            const REAL *from = b + i * q->b_row + col;
            bk[i] = whole ? v_load(from) : v_load_tail(from, tail);
        }
        UNROLL for (int r = 0; r < ROWS; r++)
        {
            const REAL *from = start + r * start_row + col;
            VEC sum = !start ? K(0) : whole ? v_load(from) : v_load_tail(from, tail);
            UNROLL for (int i = 0; i < DEPTH; i++) sum = v_fma(ak[r][i], bk[i], sum);
            REAL *c = q->c + r * q->c_row + col;
            if (whole)
                v_store(c, sum);
            else
                v_store_tail(c, sum, tail);
        }
    }
}

/* For few rows and a b whose rows are on pages of their own: down a panel, each row would be another page, and processors
 * fetch ahead within a page only. */
KERNEL_FN void FN(streamed)(const PANEL *q, ptrdiff_t cols)
{
    for (ptrdiff_t k = 0, step; k < q->depth; k += step) {
        step = q->depth - k >= 4 ? 4 : 1;
        for (ptrdiff_t r = 0; r < q->rows; r += 3) {
            PANEL part = *q;
            part.a += r * q->a_row;
            part.c += r * q->c_row;
            const REAL *start = k ? part.c : q->init ? q->init + r * q->init_row : NULL;
            const ptrdiff_t start_row = k ? q->c_row : q->init_row, rows = q->rows - r;
#define FNN_STREAM(height)                                                                                   \
    if (step == 4)                                                                                           \
        LANE(stream_rows)(&part, start, start_row, k, cols, height, 4);                                      \
    else                                                                                                     \
        LANE(stream_rows)(&part, start, start_row, k, cols, height, 1);
            if (rows >= 3) {
                FNN_STREAM(3)
            } else if (rows == 2) {
                FNN_STREAM(2)
            } else {
                FNN_STREAM(1)
            }
#undef FNN_STREAM
        }
    }
}

/* c = init + the product of `depth` columns of a and rows of b, which begin at a and b. */
KERNEL_FN void FN(product_block)(const struct fnn_product *q, const REAL *a, const REAL *b, const REAL *init,
                                 ptrdiff_t init_row, ptrdiff_t depth)
{
    PANEL panel = {a,        b,       init,  q->c, q->a_row, q->a_col, q->b_row, init_row,
                   q->c_row, q->rows, depth, 0,    NULL,     0,        0,        0};
    const ptrdiff_t cols = q->cols, tiles = q->rows / TILE_ROWS;
    const int large = depth * cols * (ptrdiff_t)sizeof(REAL) >= FNN_STREAMED_BYTES;
    if (q->rows < FNN_STREAMED_ROWS && large && q->b_col == 1 && FAR_APART(q->b_row)) {
        FN(streamed)(&panel, cols);
        return;
    }
    const int scattered = q->a_col == 1 ? BAD_STRIDE(q->a_row) : BAD_STRIDE(q->a_col) || FAR_APART(q->a_col);
    if (scattered && tiles > 0 && q->rows <= FNN_ROW_BLOCK && cols >= 8 * LANES && depth >= 64) {
        REAL *tiled = (REAL *)fnn_workspace() + FNN_PANEL_BYTES / sizeof(REAL);
        LANE(pack_tiles)(a, q->a_row, q->a_col, q->rows, depth, tiled);
        panel.a = tiled;
        panel.tiled = 1;
    }
    const int turned = q->b_col != 1, pack = turned || ((BAD_STRIDE(q->b_row) || FAR_APART(q->b_row)) && tiles >= 4);
    REAL *packed = pack ? fnn_workspace() : NULL;
    ptrdiff_t col = pack || q->rows > 3 || cols < 4 * LANES ? 0 : FN(wide_panels)(&panel, cols);
    for (ptrdiff_t width; col < cols; col += width) {
        width = cols - col < 2 * LANES ? cols - col : 2 * LANES;
        if (pack) {
            LANE(pack_panel)(b + col * q->b_col, q->b_row, q->b_col, depth, width, packed);
            panel.b = packed;
            panel.b_row = width > LANES ? 2 * LANES : LANES;
            panel.ahead = tiles >= 4 && cols - col > 2 * LANES ? b + (col + 2 * LANES) * q->b_col : NULL;
            panel.ahead_row = turned ? q->b_col : q->b_row;
            panel.ahead_rows = turned ? 2 * LANES : depth;
            panel.ahead_bytes = (turned ? depth : 2 * LANES) * (ptrdiff_t)sizeof(REAL);
        }
        FN(narrow_panel)(&panel, width);
        LANE(advance)(&panel, width);
    }
}

/* In about equal blocks of k; each continues the chains of the previous one from memory. */
KERNEL_FN void FN(matmul)(const struct fnn_product *product)
{
    const REAL *a = product->a, *b = product->b, *init = product->init;
    const ptrdiff_t depth = product->depth, blocks = (depth + FNN_DEPTH_BLOCK - 1) / FNN_DEPTH_BLOCK;
    const ptrdiff_t step = blocks > 1 ? ((depth + blocks - 1) / blocks + 15) / 16 * 16 : depth;
    FN(product_block)(product, a, b, init, product->init_row, step);
    for (ptrdiff_t k = step; k < depth; k += step)
        FN(product_block)(product, a + k * product->a_col, b + k * product->b_row, product->c, product->c_row,
                          depth - k < step ? depth - k : step);
}

INLINE void LANE(sum_columns)(const REAL *g, ptrdiff_t g_row, const REAL *init, REAL *out, ptrdiff_t rows,
                              const int VECS, const int IS_TAIL, TAIL tail)
{
    VEC sum[4];
#define EACH_VEC(v) UNROLL for (int v = 0; v < VECS; v++)
    EACH_VEC(v) sum[v] = !init ? K(0) : IS_TAIL ? v_load_tail(init, tail) : v_load(init + v * LANES);
    for (ptrdiff_t r = 0; r < rows; r++, g += g_row)
        EACH_VEC(v) sum[v] += IS_TAIL ? v_load_tail(g, tail) : v_load(g + v * LANES);
    EACH_VEC(v)
    if (IS_TAIL)
        v_store_tail(out, sum[v], tail);
    else
        v_store(out + v * LANES, sum[v]);
#undef EACH_VEC
}

/* out[n] (+)= sum_r g[r, n], rows in ascending order */
KERNEL_FN void FN(column_sums)(const void *g_, ptrdiff_t g_row, const void *init_, void *out_, ptrdiff_t rows,
                               ptrdiff_t cols)
{
    const REAL *g = g_, *init = init_;
    REAL *out = out_;
    ptrdiff_t i = 0;
    for (; i + 4 * LANES <= cols; i += 4 * LANES)
        LANE(sum_columns)(g + i, g_row, init ? init + i : NULL, out + i, rows, 4, 0, v_tail(0));
    for (; i + LANES <= cols; i += LANES)
        LANE(sum_columns)(g + i, g_row, init ? init + i : NULL, out + i, rows, 1, 0, v_tail(0));
    if (i < cols)
        LANE(sum_columns)(g + i, g_row, init ? init + i : NULL, out + i, rows, 1, 1, v_tail(cols - i));
}
