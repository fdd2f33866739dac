/* What the pool needs of the operating system: a lock, a condition, threads that run until the process ends. */
#ifndef FASTNN_SYSTEM_H
#define FASTNN_SYSTEM_H

#include <stddef.h>

#if defined(_WIN32)

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#define FNN_LOCK_INITIALIZER SRWLOCK_INIT
#define FNN_CONDITION_INITIALIZER CONDITION_VARIABLE_INIT
typedef SRWLOCK fnn_lock_type;
typedef CONDITION_VARIABLE fnn_condition_type;

static inline void fnn_lock(fnn_lock_type *lock)
{
    AcquireSRWLockExclusive(lock);
}
static inline void fnn_unlock(fnn_lock_type *lock)
{
    ReleaseSRWLockExclusive(lock);
}
static inline void fnn_wait(fnn_condition_type *condition, fnn_lock_type *lock)
{
    SleepConditionVariableSRW(condition, lock, INFINITE, 0);
}
static inline void fnn_wake_all(fnn_condition_type *condition)
{
    WakeAllConditionVariable(condition);
}
static inline void fnn_yield(void)
{
    SwitchToThread();
}

#define FNN_THREAD(name, argument) static DWORD WINAPI name(void *argument)
typedef LPTHREAD_START_ROUTINE fnn_thread_main;

/* Returns 0 if the system refuses. */
static inline int fnn_start_thread(fnn_thread_main run, ptrdiff_t argument, size_t stack)
{
    const HANDLE thread = CreateThread(NULL, stack, run, (void *)argument, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
    return thread != NULL && CloseHandle(thread);
}

#else

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#define FNN_LOCK_INITIALIZER PTHREAD_MUTEX_INITIALIZER
#define FNN_CONDITION_INITIALIZER PTHREAD_COND_INITIALIZER
typedef pthread_mutex_t fnn_lock_type;
typedef pthread_cond_t fnn_condition_type;

static inline void fnn_lock(fnn_lock_type *lock)
{
    pthread_mutex_lock(lock);
}
static inline void fnn_unlock(fnn_lock_type *lock)
{
    pthread_mutex_unlock(lock);
}
static inline void fnn_wait(fnn_condition_type *condition, fnn_lock_type *lock)
{
    pthread_cond_wait(condition, lock);
}
static inline void fnn_wake_all(fnn_condition_type *condition)
{
    pthread_cond_broadcast(condition);
}
static inline void fnn_yield(void)
{
    sched_yield();
}

#define FNN_THREAD(name, argument) static void *name(void *argument)
typedef void *(*fnn_thread_main)(void *);

/* The thread blocks all signals, which other threads handle. Returns 0 if the system refuses. */
static inline int fnn_start_thread(fnn_thread_main run, ptrdiff_t argument, size_t stack)
{
    sigset_t all, before;
    pthread_attr_t attributes;
    pthread_t thread;
    if (pthread_attr_init(&attributes))
        return 0;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, stack);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int refused = pthread_create(&thread, &attributes, run, (void *)argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return !refused;
}

#endif
#endif
