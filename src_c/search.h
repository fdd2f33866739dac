/* The first number of an array for which something holds: for functions that both_dtypes.h compiles. */
#ifndef FASTNN_SEARCH_H
#define FASTNN_SEARCH_H

#include <stdint.h>
#include <string.h>

enum { CHECKED = 64 }; /* numbers that are tested without a branch */

/* Returns the first i < n for which wrong(x[i]) holds, or -1. Of float, only a block in which there is one is searched; SSE2
 * has no comparison of two doubles that gives a mask of integers, so there blocks would take longer. */
#define RETURN_FIRST(x, n, wrong)                                                                            \
    {                                                                                                        \
        typedef REAL vector __attribute__((vector_size(16)));                                                \
        typedef INT mask __attribute__((vector_size(16)));                                                   \
        ptrdiff_t i = 0;                                                                                     \
        for (ptrdiff_t stop = CHECKED; sizeof *x == sizeof(float) && stop <= (n); stop += CHECKED) {         \
            mask any = {0};                                                                                  \
            for (ptrdiff_t j = stop - CHECKED; j < stop; j += sizeof any / sizeof *x) {                      \
                vector v;                                                                                    \
                memcpy(&v, x + j, sizeof v);                                                                 \
                any |= wrong(v);                                                                             \
            }                                                                                                \
            uint64_t half[2];                                                                                \
            memcpy(half, &any, sizeof any);                                                                  \
            if (half[0] | half[1])                                                                           \
                break;                                                                                       \
            i = stop;                                                                                        \
        }                                                                                                    \
        for (; i < (n); i++)                                                                                 \
            if (wrong(x[i]))                                                                                 \
                return i;                                                                                    \
        return -1;                                                                                           \
    }

#endif
