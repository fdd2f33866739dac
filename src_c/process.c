/* Threads do not survive fork(). A handler counts forks; in a child everything runs on one thread, with the same
 * bits as results. */
#include <time.h>

#include "fastnn.h"

#if defined(_WIN32)
int fnn_forked(void)
{
    return 0;
}
void fnn_watch_forks(void)
{
}
#else
#include <pthread.h>

static volatile int forked;

static void in_child(void)
{
    forked++;
}

int fnn_forked(void)
{
    return forked;
}

void fnn_watch_forks(void)
{
    static int watching;
    if (!watching)
        watching = pthread_atfork(NULL, NULL, in_child) == 0;
}
#endif

double fnn_nanoseconds(void)
{
    struct timespec now;
#if defined(CLOCK_MONOTONIC)
    clock_gettime(CLOCK_MONOTONIC, &now);
#else
    timespec_get(&now, TIME_UTC);
#endif
    return 1e9 * (double)now.tv_sec + (double)now.tv_nsec;
}
