/* The pool of threads, without Python: every element of every share is processed once, also by several threads, and the
 * caller sees it. tools/cross.sh runs this for Windows under wine, and for other C libraries and processors.
 * Prints the largest share that another thread took, which differs; status 1 if an element was missed or done twice. */
#include <stdio.h>
#include <string.h>

#include "fastnn.h"
#include "pool.h"

enum { SHARES = 2000, MOST = 5000 };
static unsigned char done[MOST];

static void count(const void *work, ptrdiff_t start, ptrdiff_t stop, void *dtype)
{
    (void)work, (void)dtype;
    for (ptrdiff_t i = start; i < stop; i++)
        for (volatile int turns = done[i]++; turns < 20;)
            turns = turns + 1;
}

int main(void)
{
    double most = 0;
    int shared = 0;
    const double latency = fnn_pool_latency();
    for (int i = 0; i < SHARES; i++) {
        struct fnn_times times;
        const struct fnn_share share = {count, NULL, 1 + i * 7919 % MOST, 1 + i % 9, 1 + i % 7, i % 3, 2 + i % 3};
        memset(done, 0, sizeof done);
        if (!fnn_share_work(&share, &times))
            continue;
        shared++;
        if (1 - times.share > most)
            most = 1 - times.share;
        for (ptrdiff_t k = 0; k < MOST; k++)
            if (done[k] != (k < share.n)) {
                printf("share %d: element %d was processed %d times\n", i, (int)k, done[k]);
                return 1;
            }
    }
    printf("%d shares, others took up to %.0f %%, latency %.0f ns\n", shared, 100 * most, latency);
    return shared != SHARES;
}
