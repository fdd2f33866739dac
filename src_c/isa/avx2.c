#if defined(__x86_64__)
#define FNN_ISA avx2
#define FNN_TARGET "avx2,fma"
#include "../target_begin.h"
#include "../simd/avx2.h"
#include "isa.h"
#include "../target_end.h"
#endif
