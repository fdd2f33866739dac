/* Opens a region of functions compiled for FNN_TARGET, whatever the compiler flags of the file; setuptools has no
 * flags per file. Only one table in a region is visible outside its file, so that no such instruction gets into code
 * that runs on older machines. System headers are included before, so that their functions are not affected. */
#include <immintrin.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__clang__)
#define FNN_PRAGMA_(text) _Pragma(#text)
#define FNN_PRAGMA(name) FNN_PRAGMA_(clang attribute push(__attribute__((target(name))), apply_to = function))
FNN_PRAGMA(FNN_TARGET)
#else
#define FNN_PRAGMA_(text) _Pragma(#text)
#define FNN_PRAGMA(name) FNN_PRAGMA_(GCC target(name))
#pragma GCC push_options
FNN_PRAGMA(FNN_TARGET)
#endif
#undef FNN_PRAGMA
#undef FNN_PRAGMA_
