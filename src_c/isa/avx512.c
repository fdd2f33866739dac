#if defined(__x86_64__)
#define FNN_ISA avx512
#define FNN_TARGET "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma"
#include "../target_begin.h"
#include "../simd/avx512.h"
#include "isa.h"
#include "../target_end.h"
#endif
