#if defined(__aarch64__)
#define FNN_ISA neon
#include "../simd/neon.h"
#include "isa.h"
#endif
