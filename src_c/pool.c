/* A pool of threads that wait for work: first by polling, then asleep.
 *
 * The caller publishes a share and takes pieces of it, as the threads do. It does not wait for threads that have not
 * begun a piece, so a thread that comes late or never costs nothing. `inside` counts those that may read the share;
 * it is raised before `is_open` is read, and `is_open` is cleared before `inside` is read, both in one total order, so
 * either the thread sees that the share is closed or the caller sees the thread. */
#include "pool.h"

#include "fastnn.h"

#include "system.h"

#if defined(_MSC_VER)
#include <intrin.h>
#define EXCHANGE(p, value) _InterlockedExchange((volatile long *)(p), value)
#else
#define EXCHANGE(p, value) __atomic_exchange_n(p, value, __ATOMIC_ACQ_REL)
#endif

int fnn_take_place(int *taken, int n)
{
    for (int i = 0;; i = (i + 1) % n)
        if (EXCHANGE(&taken[i], 1) == 0)
            return i;
}
void fnn_leave_place(int *taken, int place)
{
    EXCHANGE(&taken[place], 0);
}

#include <stdatomic.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
#define FP_MODE() (_mm_getcsr() & ~0x3fu) /* without the exception flags */
#define PAUSE() _mm_pause()
#elif defined(__aarch64__)
static inline unsigned long fp_mode(void)
{
    unsigned long mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
}
#define FP_MODE() fp_mode()
#define PAUSE() __asm__ volatile("yield")
#endif

enum {
    MOST_THREADS = 1024,
    STACK_BYTES = 1 << 20,
    AWAKE_NS = 100 * 1000,    /* a thread polls this long before it sleeps: the pause between two steps */
    PATIENT_NS = 20 * 1000,   /* a caller polls this long for the last piece before it yields */
    RETRY_NS = 100000 * 1000, /* no thread is made this long after the system refused one */
    LOOKS = 32,               /* polls between two readings of the clock */
    MEETINGS = 20,
    MEETING_NS = 50 * 1000,
};

static struct fnn_share shared;
static ptrdiff_t pieces;
static unsigned long mode; /* the floating-point mode of the caller; threads in another mode take no pieces */
static atomic_ptrdiff_t next;
static atomic_int is_open, inside, asleep, busy;
static atomic_uint turn; /* number of shares so far */
static int made;         /* number of threads; this and the following belong to the caller that holds the pool */
static double refused_until;
static fnn_lock_type lock = FNN_LOCK_INITIALIZER;
static fnn_condition_type wake = FNN_CONDITION_INITIALIZER;

/* The first element of a piece. */
static ptrdiff_t piece_start(ptrdiff_t piece)
{
    const ptrdiff_t units = (shared.n + shared.unit - 1) / shared.unit, parts = shared.parts;
    const ptrdiff_t large = shared.spares ? units * 4 / 5 : units;
    const ptrdiff_t unit =
        piece <= parts ? large * piece / parts : large + (units - large) * (piece - parts) / (pieces - parts);
    return unit < units ? unit * shared.unit : shared.n;
}

/* Process pieces until none is left; return the number of elements processed. */
static ptrdiff_t do_pieces(void)
{
    ptrdiff_t piece, done = 0;
    while ((piece = atomic_fetch_add_explicit(&next, 1, memory_order_relaxed)) < pieces) {
        const ptrdiff_t start = piece_start(piece), stop = piece_start(piece + 1);
        if (start < stop)
            shared.task(shared.work, start, stop, NULL);
        done += stop - start;
    }
    return done;
}

/* Wait until `turn` differs from `seen`; return it. */
static unsigned next_turn(unsigned seen)
{
    const double until = fnn_nanoseconds() + AWAKE_NS;
    do
        for (int look = 0; look < LOOKS; look++) {
            const unsigned now = atomic_load_explicit(&turn, memory_order_acquire);
            if (now != seen)
                return now;
            PAUSE();
        }
    while (fnn_nanoseconds() < until);
    fnn_lock(&lock);
    atomic_fetch_add(&asleep, 1);
    while (atomic_load(&turn) == seen)
        fnn_wait(&wake, &lock);
    atomic_fetch_sub(&asleep, 1);
    fnn_unlock(&lock);
    return atomic_load(&turn);
}

FNN_THREAD(work_for_ever, argument)
{
    const int number = (int)(ptrdiff_t)argument; /* the caller is 0 */
    for (unsigned seen = 0;;) {
        seen = next_turn(seen);
        atomic_fetch_add(&inside, 1);
        if (atomic_load(&is_open) && number < shared.threads && mode == FP_MODE())
            do_pieces();
        atomic_fetch_sub_explicit(&inside, 1, memory_order_release);
    }
    return 0;
}

/* Create threads until there are `wanted`, or the system refuses. */
static void make_threads(int wanted)
{
    if (made >= wanted || (refused_until != 0 && fnn_nanoseconds() < refused_until))
        return;
    while (made < wanted && made < MOST_THREADS - 1) {
        if (!fnn_start_thread(work_for_ever, made + 1, STACK_BYTES)) {
            refused_until = fnn_nanoseconds() + RETRY_NS;
            break;
        }
        made++;
    }
}

static void publish(const struct fnn_share *share)
{
    shared = *share;
    pieces = share->parts + (ptrdiff_t)share->parts * share->spares;
    mode = FP_MODE();
    atomic_store_explicit(&next, 0, memory_order_relaxed);
    atomic_store(&is_open, 1);
    atomic_fetch_add(&turn, 1);
    if (atomic_load(&asleep)) {
        fnn_lock(&lock);
        fnn_wake_all(&wake);
        fnn_unlock(&lock);
    }
}

/* Close the share and wait for the threads that are processing pieces. */
static void finish(double now)
{
    const double until = now + PATIENT_NS;
    atomic_store(&is_open, 0);
    while (atomic_load(&inside)) {
        for (int look = 0; look < LOOKS && atomic_load_explicit(&inside, memory_order_acquire); look++)
            PAUSE();
        if (fnn_nanoseconds() > until)
            fnn_yield();
    }
}

int fnn_share_work(const struct fnn_share *share, struct fnn_times *times)
{
    int free_ = 0;
    if (fnn_forked() || !atomic_compare_exchange_strong(&busy, &free_, 1))
        return 0;
    make_threads(share->threads - 1);
    if (made == 0) {
        atomic_store(&busy, 0);
        return 0;
    }
    const double began = fnn_nanoseconds();
    publish(share);
    times->share = (double)do_pieces() / (double)share->n;
    const double now = fnn_nanoseconds();
    finish(now);
    times->own = now - began;
    times->whole = fnn_nanoseconds() - began;
    atomic_store(&busy, 0);
    return 1;
}

/* A task that waits until another thread has begun the other piece. */
static void meet(const void *work, ptrdiff_t start, ptrdiff_t stop, void *dtype)
{
    atomic_int *met = *(atomic_int *const *)work;
    const double until = fnn_nanoseconds() + MEETING_NS;
    (void)start, (void)stop, (void)dtype;
    atomic_fetch_add(met, 1);
    while (atomic_load(met) < 2 && fnn_nanoseconds() < until)
        PAUSE();
}

double fnn_pool_latency(void)
{
    atomic_int met, *pointer = &met;
    const struct fnn_share share = {meet, &pointer, 2, 1, 2, 0, 2};
    struct fnn_times times;
    double least = -1;
    for (int i = 0; i < MEETINGS; i++) {
        atomic_store(&met, 0);
        if (fnn_share_work(&share, &times) && times.share < 1 && (least < 0 || times.own < least))
            least = times.own;
    }
    return least;
}
