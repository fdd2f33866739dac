/* Codes of an embedding: numbers of rows of its table. */
#ifndef REAL
#include "elements.h"

#define FNN_SOURCE "embedding.c"
#include "both_dtypes.h"
FNN_BOTH(copy_codes)
#else

/* Copies codes into the dtype of the table, which has `num` rows; 0 at the first that is no number of a row. */
static int FN(copy_codes)(const int64_t *codes, void *numbers_, ptrdiff_t n, ptrdiff_t num)
{
    REAL *numbers = numbers_;
    for (ptrdiff_t i = 0; i < n; i++) {
        const int64_t code = fnn_read_index(codes + i);
        if (code < 0 || code >= num)
            return 0;
        numbers[i] = (REAL)code;
    }
    return 1;
}

#endif
