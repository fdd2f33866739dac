/* A pool of threads that share one piece of work at a time. fastnn/_core/threads.pyx decides what is shared. */
#ifndef FASTNN_POOL_H
#define FASTNN_POOL_H

#include <stddef.h>

/* Does elements start .. stop - 1 of a piece of work. The last argument is NULL: it only carries a type in Cython. */
typedef void (*fnn_task)(const void *work, ptrdiff_t start, ptrdiff_t stop, void *dtype);

/* Work on n elements, cut at multiples of `unit`: a large piece a thread, then small ones that even out the ends. */
struct fnn_share {
    fnn_task task;
    const void *work;
    ptrdiff_t n, unit;
    int parts;   /* large pieces */
    int spares;  /* small pieces for each large one, which hold a fifth of the work; 0 for none */
    int threads; /* that may work on it, the caller included */
};

/* What sharing took, in nanoseconds from the beginning. */
struct fnn_times {
    double own;   /* until the caller found no piece left */
    double whole; /* until the last piece was done */
    double share; /* of the elements that the caller did itself, 0 .. 1 */
};

/* Shares the work with threads that are made when first needed. Returns 0, with nothing done, if the pool is busy, or
 * has no threads: in a child of fork(), and where the system makes none. */
int fnn_share_work(const struct fnn_share *share, struct fnn_times *times);

/* Nanoseconds until another thread has seen a share and the caller has seen that: the least of a few tries, each of which
 * gives up after 50 us; -1 if none succeeded. */
double fnn_pool_latency(void);

#endif
