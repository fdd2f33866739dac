/* Packing: copies of parts of matrices in contiguous memory for a product. Rows whose distance is a multiple of a
 * large power of two map to few sets of the caches and evict each other, and a transposed b has no contiguous
 * columns for the lanes. */

/* Transpose LANES x LANES numbers in log2(LANES) rounds, each of which interleaves the two halves of the rows. */
#define LANES_CONSTANT (sizeof(VEC) / sizeof(REAL))
INLINE void LANE(turn)(VEC *v)
{
    VEC w[LANES_CONSTANT];
    UNROLL for (ptrdiff_t round = 1; round < LANES; round *= 2)
    {
        UNROLL for (ptrdiff_t i = 0; i < LANES / 2; i++)
        {
            w[2 * i] = v_zip_low(v[i], v[i + LANES / 2]);
            w[2 * i + 1] = v_zip_high(v[i], v[i + LANES / 2]);
        }
        UNROLL for (ptrdiff_t i = 0; i < LANES; i++) v[i] = w[i];
    }
}

/* v[c] = column c of the first LANES columns of x, zeros beyond `rows` and `cols` */
INLINE void LANE(load_turned)(const REAL *x, ptrdiff_t x_row, ptrdiff_t rows, ptrdiff_t cols, VEC *v)
{
    if (rows >= LANES && cols >= LANES) {
        UNROLL for (ptrdiff_t r = 0; r < LANES; r++) v[r] = v_load(x + r * x_row);
    } else {
        for (ptrdiff_t r = 0; r < LANES; r++)
            v[r] = r < rows ? LANE(load_n)(x + r * x_row, cols, K(0)) : K(0);
    }
    LANE(turn)(v);
}

/* Stores v[0 .. rows) as rows of out. */
INLINE void LANE(store_rows)(const VEC *v, ptrdiff_t rows, REAL *out, ptrdiff_t out_row)
{
    if (rows >= LANES) {
        UNROLL for (ptrdiff_t i = 0; i < LANES; i++) v_store(out + i * out_row, v[i]);
    } else {
        for (ptrdiff_t i = 0; i < rows; i++)
            v_store(out + i * out_row, v[i]);
    }
}

/* Pack `depth` rows of a panel of b: `width` columns, up to 2 LANES, padded with zeros to whole registers */
INLINE void LANE(pack_panel)(const REAL *b, ptrdiff_t b_row, ptrdiff_t b_col, ptrdiff_t depth, ptrdiff_t width,
                             REAL *panel)
{
    const ptrdiff_t row = width > LANES ? 2 * LANES : LANES;
    if (b_col != 1) {
        for (ptrdiff_t col = 0; col < row; col += LANES)
            for (ptrdiff_t k = 0; k < depth; k += LANES) {
                VEC v[LANES_CONSTANT];
                LANE(load_turned)(b + col * b_col + k, b_col, width - col, depth - k, v);
                LANE(store_rows)(v, depth - k, panel + k * row + col, row);
            }
    } else if (width == 2 * LANES) {
        for (ptrdiff_t k = 0; k < depth; k++, b += b_row, panel += row) {
            v_store(panel, v_load(b));
            v_store(panel + LANES, v_load(b + LANES));
        }
    } else {
        for (ptrdiff_t k = 0; k < depth; k++)
            for (ptrdiff_t col = 0; col < row; col += LANES)
                v_store(panel + k * row + col, LANE(load_n)(b + k * b_row + col, width - col, K(0)));
    }
}

/* out[k, r] = a[r, k] for the TILE_ROWS rows of a tile. Every store is a whole register; the surplus is overwritten
 * by the next store, or falls into the padding after the block. */
INLINE void LANE(pack_tile)(const REAL *a, ptrdiff_t a_row, ptrdiff_t depth, REAL *out)
{
    enum { PARTS = (TILE_ROWS + LANES_CONSTANT - 1) / LANES_CONSTANT };
    for (ptrdiff_t k = 0; k < depth; k += LANES, out += LANES * TILE_ROWS) {
        VEC v[PARTS][LANES_CONSTANT];
        UNROLL for (ptrdiff_t p = 0; p < PARTS; p++)
            LANE(load_turned)(a + p * LANES * a_row + k, a_row, TILE_ROWS - p * LANES, depth - k, v[p]);
        if (depth - k >= LANES) {
            UNROLL for (ptrdiff_t i = 0; i < LANES; i++) UNROLL for (ptrdiff_t p = 0; p < PARTS; p++)
                v_store(out + i * TILE_ROWS + p * LANES, v[p][i]);
        } else {
            for (ptrdiff_t i = 0; i < depth - k; i++)
                for (ptrdiff_t p = 0; p < PARTS; p++)
                    v_store(out + i * TILE_ROWS + p * LANES, v[p][i]);
        }
    }
}

/* The height of the next tile. There are few heights, to keep the code small: 11 = 8 + 2 + 1. */
INLINE ptrdiff_t LANE(height)(ptrdiff_t rows)
{
    return rows >= TILE_ROWS ? TILE_ROWS : rows >= 8 ? 8 : rows >= 4 ? 4 : rows >= 2 ? 2 : 1;
}

/* Pack a as consecutive tiles, each [depth][height]: the tile that begins with row r is at r * depth. */
INLINE void LANE(pack_tiles)(const REAL *a, ptrdiff_t a_row, ptrdiff_t a_col, ptrdiff_t rows, ptrdiff_t depth,
                             REAL *out)
{
    for (ptrdiff_t r = 0, height; r < rows; r += height, a += height * a_row, out += height * depth) {
        height = LANE(height)(rows - r);
        if (height == TILE_ROWS && a_col == 1)
            LANE(pack_tile)(a, a_row, depth, out);
        else if (height == TILE_ROWS && a_row == 1)
            for (ptrdiff_t k = 0; k < depth; k++)
                memcpy(out + k * TILE_ROWS, a + k * a_col, TILE_ROWS * sizeof(REAL));
        else
            for (ptrdiff_t k = 0; k < depth; k++)
                for (ptrdiff_t i = 0; i < height; i++)
                    out[k * height + i] = a[i * a_row + k * a_col];
    }
}
