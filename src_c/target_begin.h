/* Opens a region of functions compiled for FNN_TARGET, whatever flags the file is compiled with.
 * Regions, not per-file flags: plain setuptools builds them. Nothing in a region is visible outside its file but one
 * table, so no instruction leaks into code that runs on older machines. System headers come first: their functions stay
 * what they are. */
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
