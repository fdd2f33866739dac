#if defined(__x86_64__)
#define FNN_ISA sse2
#include "../simd/sse2.h"
#include "isa.h"
#endif
