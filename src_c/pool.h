/* A pool of threads that process one share of work at a time. fastnn/_core/threads.pyx decides what is shared. */
#ifndef FASTNN_POOL_H
#define FASTNN_POOL_H

#include <stddef.h>

/* Processes elements start .. stop - 1 of `work`. The last argument is NULL; its type selects the version in Cython. */
typedef void (*fnn_task)(const void *work, ptrdiff_t start, ptrdiff_t stop, void *dtype);

/* Work on n elements, divided at multiples of `unit`: a large piece per thread, then small ones that balance the
 * load. */
struct fnn_share {
    fnn_task task;
    const void *work;
    ptrdiff_t n, unit;
    int parts;   /* large pieces */
    int spares;  /* small pieces for each large one, which hold a fifth of the work; 0 for none */
    int threads; /* threads that may work on it, including the caller */
};

/* Times of a share, in nanoseconds from its start. */
struct fnn_times {
    double own;   /* until the caller found no piece left */
    double whole; /* until the last piece was done */
    double share; /* fraction of the elements that the caller processed, 0 .. 1 */
};

/* Process the share with the threads of the pool, which are created when first needed. Returns 0 without doing
 * anything if the pool is busy or has no threads: in a child of fork(), or if the system refuses them. */
int fnn_share_work(const struct fnn_share *share, struct fnn_times *times);

/* Take the first free one of n places for the calling thread, and return its number; it waits while none is free.
 * taken[i] is 1 while place i is taken. */
int fnn_take_place(int *taken, int n);
void fnn_leave_place(int *taken, int place);

/* Nanoseconds until another thread has seen a share and the caller has seen its answer: the minimum of a few tries,
 * each with a timeout of 50 us; -1 if none succeeded. */
double fnn_pool_latency(void);

#endif
