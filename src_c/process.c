/* Threads do not survive fork(). A handler counts forks; in a child everything runs on one thread, with the same
 * bits as results. */
#include "fastnn.h"

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

int fnn_forked(void)
{
    return 0;
}
void fnn_watch_forks(void)
{
}
double fnn_nanoseconds(void)
{
    LARGE_INTEGER ticks, rate;
    QueryPerformanceCounter(&ticks);
    QueryPerformanceFrequency(&rate);
    return 1e9 * (double)ticks.QuadPart / (double)rate.QuadPart;
}
#else
#include <pthread.h>
#include <time.h>

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

double fnn_nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return 1e9 * (double)now.tv_sec + (double)now.tv_nsec;
}
#endif
