/* Embedding: rows of a table by index. Codes are integers in the dtype of the table, exact up to 2^24 in float. */

/* The index of the first code that is not an integer in 0 .. num_embeddings - 1, or -1. */
KERNEL_FN ptrdiff_t FN(bad_code)(const void *codes_, ptrdiff_t n, ptrdiff_t num_embeddings)
{
    const REAL *codes = codes_;
    for (ptrdiff_t i = 0; i < n; i++)
        if (!(codes[i] >= 0 && codes[i] < (REAL)num_embeddings && codes[i] == (REAL)(ptrdiff_t)codes[i]))
            return i;
    return -1;
}

/* y[i] = weight[codes[i]], rows of `cols` */
KERNEL_FN void FN(embedding)(const void *codes_, const void *weight_, void *y_, ptrdiff_t n, ptrdiff_t cols)
{
    const REAL *codes = codes_, *weight = weight_;
    REAL *y = y_;
    for (ptrdiff_t i = 0; i < n; i++)
        memcpy(y + i * cols, weight + (ptrdiff_t)codes[i] * cols, (size_t)cols * sizeof *y);
}

/* grad_weight[codes[i]] += g[i], in the order of i, for `width` of the columns, except where the code is `padding` */
KERNEL_FN void FN(embedding_backward)(const void *g_, const void *codes_, void *grad_weight_, ptrdiff_t n,
                                      ptrdiff_t cols, ptrdiff_t width, ptrdiff_t padding)
{
    const REAL *g = g_, *codes = codes_;
    REAL *grad_weight = grad_weight_;
    for (ptrdiff_t i = 0; i < n; i++) {
        const ptrdiff_t code = (ptrdiff_t)codes[i];
        if (code == padding)
            continue;
        REAL *sum = grad_weight + code * cols;
        for (ptrdiff_t j = 0; j < width; j += LANES) {
            const ptrdiff_t left = width - j;
            LANE(store_n)(sum + j, LANE(load_n)(sum + j, left, K(0)) + LANE(load_n)(g + i * cols + j, left, K(0)),
                          left);
        }
    }
}
