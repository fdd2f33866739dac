/* An allocator, to be preloaded, whose n-th allocation fails: once, or with all that come after it.
 *
 *     cc -shared -fPIC -O2 -o build/failmalloc.so tests/support/failmalloc.c
 *     LD_PRELOAD=build/failmalloc.so PYTHONPATH=tests python -m support.failing_allocations
 *
 * Counting begins with failmalloc_begin, so that what came before (Python's own start) is left out. Threads count
 * together. For glibc, whose allocator is called by its other names.
 *
 * The Rust library of safetensors is spared: Rust ends the process when an allocation fails. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t number, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static atomic_long made;    /* since the beginning */
static atomic_long fails;   /* the number of the one that fails, 0 for none */
static atomic_int for_ever; /* whether all behind it fail, too */

void failmalloc_begin(long n, int and_all_others)
{
    atomic_store(&fails, 0);
    atomic_store(&made, 0);
    atomic_store(&for_ever, and_all_others);
    atomic_store(&fails, n);
}

/* Stops failing; the number of allocations since the beginning. */
long failmalloc_end(void)
{
    atomic_store(&fails, 0);
    return atomic_load(&made);
}

#define CALLER __builtin_return_address(0)

static int failing(void *caller)
{
    Dl_info where;
    long n = atomic_load(&fails);
    if (n == 0 || (dladdr(caller, &where) && where.dli_fname && strstr(where.dli_fname, "safetensors")))
        return 0;
    long now = atomic_fetch_add(&made, 1) + 1;
    if (now != n && !(atomic_load(&for_ever) && now > n))
        return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size)
{
    return failing(CALLER) ? NULL : __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
    return failing(CALLER) ? NULL : __libc_calloc(number, size);
}

void *realloc(void *old, size_t size)
{
    return failing(CALLER) ? NULL : __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size)
{
    return failing(CALLER) ? NULL : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return failing(CALLER) ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size)
{
    void *block = failing(CALLER) ? NULL : __libc_memalign(alignment, size);
    if (block == NULL)
        return ENOMEM;
    *result = block;
    return 0;
}
