/* The instruction sets that are compiled in, those that this processor supports, and the names of the kernels. */
#include "fastnn.h"

#if defined(__x86_64__)
extern const struct fnn_isa fnn_isa_avx512, fnn_isa_avx2, fnn_isa_sse2;

#if defined(_MSC_VER) || defined(FNN_CPUID)
/* Under clang-cl the builtins below need a library that MSVC's linker does not have (FNN_CPUID: for a test of this). */
#include <cpuid.h>

/* Whether cpuid has these bits (of EBX of leaf 7; all need FMA), and the operating system saves these registers. */
static int has(unsigned features, unsigned registers)
{
    const unsigned fma_and_osxsave = 1u << 12 | 1u << 27;
    unsigned a, b, c, d, saved, high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & fma_and_osxsave) != fma_and_osxsave)
        return 0;
    __asm__ volatile("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));
    return (saved & registers) == registers && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & features) == features;
}
static int has_avx512(void)
{
    return has(1u << 5 | 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31, 0xe6); /* AVX2, AVX-512 F, DQ, BW, VL; ZMM */
}
static int has_avx2(void)
{
    return has(1u << 5, 0x06); /* YMM */
}
#else
/* These builtins check cpuid and, by XGETBV, that the operating system saves the wide registers. */
static int has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
}
static int has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif
#elif defined(__aarch64__)
extern const struct fnn_isa fnn_isa_neon;
#else
#error "fastnn has kernels for x86-64 and aarch64"
#endif

static int always(void)
{
    return 1;
}

static const struct {
    const struct fnn_isa *isa;
    int (*supported)(void);
} isas[] = {
#if defined(__x86_64__)
    {&fnn_isa_avx512, has_avx512},
    {&fnn_isa_avx2, has_avx2},
    {&fnn_isa_sse2, always},
#else
    {&fnn_isa_neon, always},
#endif
};

int fnn_isa_count(void)
{
    return (int)(sizeof isas / sizeof *isas);
}

const struct fnn_isa *fnn_isa_at(int index)
{
    return isas[index].isa;
}

int fnn_isa_supported(int index)
{
    return isas[index].supported();
}

static const char *const names[] = {
#define FNN_KERNEL(result, name, arguments) #name,
#include "kernels/kernels.def"
#undef FNN_KERNEL
};

static const char *const groups[] = {
#define FNN_GROUP(group, name) #group
#define FNN_KERNEL(result, name, arguments) "",
#include "kernels/kernels.def"
#undef FNN_KERNEL
#undef FNN_GROUP
};

int fnn_kernel_count(void)
{
    return (int)(sizeof names / sizeof *names);
}

const char *fnn_kernel_name(int index)
{
    return names[index];
}

const char *fnn_kernel_group(int index)
{
    return groups[index];
}

/* Static, so that a product never allocates and never fails; pages that a thread does not use take no memory. */
static _Thread_local char workspace[FNN_WORKSPACE_BYTES] __attribute__((aligned(64)));

void *fnn_workspace(void)
{
    return workspace;
}
