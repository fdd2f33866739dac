/* What every kernel is written in: the words below, spelled the same for each instruction set and dtype.
 *
 * An instruction set's header (avx512.h, avx2.h, sse2.h, neon.h) supplies the words that differ between machines:
 *
 *   VEC IVEC UVEC MASK TAIL LANES    a register of REALs, of integers as wide with and without a sign, a comparison,
 *                                  a partial register, its width
 *   v_splat v_load v_store           one value everywhere; unaligned memory
 *   v_tail v_load_tail v_store_tail  the first n lanes only; the others read as zero and are never touched in memory
 *   v_fill_tail(v, tail, fill)       the lanes of the tail from v, the others from fill
 *   v_fma(a, b, c)                   a * b + c, rounded once (twice on the SSE2 baseline, which has no FMA)
 *   v_sqrt
 *   v_scalef(a, n)                   optional: a 2^n for integral n, rounded once; kernels/math.h does without
 *   v_max(a, b)                      a > b ? a : b, so b where either is NaN;  v_min alike
 *   v_lt v_le v_gt v_ge v_eq         MASK, false for NaN;  v_or
 *   v_select(mask, a, b)             a where mask holds, b elsewhere
 *   v_zip_low v_zip_high (a, b)       a0 b0 a1 b1 ... of the low halves of a and b, and of the high halves
 *   v_mul_low32(a, b)                ivec64 of the products of the low 32 bits of each element, unsigned
 *   TILE_ROWS                        rows of the matmul tile, two VECs wide, that fill the register file
 *
 * Everything else is here, in terms of these: +, -, *, / and the integer operators act on whole registers (vector
 * extensions of GCC and clang), and casts between VEC, IVEC and UVEC reinterpret bits. Sums that
 * may overflow are of UVEC, which goes around; those of IVEC are undefined then.
 */
#ifndef FNN_VOCABULARY_H
#define FNN_VOCABULARY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FNN_CAT_(a, b) a##b
#define FNN_CAT(a, b) FNN_CAT_(a, b)

#define INLINE static inline __attribute__((always_inline, unused))
#define KERNEL_FN static __attribute__((unused))

/* For short loops of constant length over registers: without unrolling, the compiler would keep these in memory. */
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 64")
#endif

/* FN(relu) is fnn_relu_f32 or fnn_relu_f64; LANE(relu) is the function of one register that defines it. */
#define FN(name) FNN_CAT(FNN_CAT(fnn_, name), FNN_CAT(_f, BITS))
#define TYPED(name) FNN_CAT(FNN_CAT(typed_, name), FNN_CAT(_f, BITS)) /* kernels/borders.h */
#define LANE(name) FNN_CAT(FNN_CAT(lane_, name), FNN_CAT(_f, BITS))

#define VEC FNN_CAT(vec, BITS)
#define IVEC FNN_CAT(ivec, BITS)
#define UVEC FNN_CAT(uvec, BITS)
#define MASK FNN_CAT(mask, BITS)
#define TAIL FNN_CAT(tail, BITS)
#define INT FNN_CAT(FNN_CAT(int, BITS), _t)
#define LANES ((ptrdiff_t)(sizeof(VEC) / sizeof(REAL)))

#define K(constant) v_splat((REAL)(constant))
#define SIGN_BIT ((INT)((uint64_t)1 << (BITS - 1)))

/* The last sums of a reduction, for every width of registers. */
typedef double fnn_double8 __attribute__((vector_size(64)));
typedef double fnn_double4 __attribute__((vector_size(32)));
typedef double fnn_double2 __attribute__((vector_size(16)));

#define v_abs(x) ((VEC)((IVEC)(x) & ~(IVEC)K(-0.0)))
#define v_sign_bits(x) ((IVEC)(x) & (IVEC)K(-0.0))
#define v_copysign(x, s) ((VEC)((IVEC)v_abs(x) | v_sign_bits(s)))
#define v_fnma(a, b, c) v_fma(-(a), (b), (c)) /* c - a * b */

#endif
