"""Print the constants of src_c/kernels/math.h for one dtype.

    python tools/minimax.py float > src_c/kernels/coefficients_float.h
    python tools/minimax.py double > src_c/kernels/coefficients_double.h

Each polynomial, or quotient of two, minimizes the largest weighted error on an interval (Remez's exchange on
a fine grid); the weight makes it the error relative to the function that the polynomial is used for.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import mpmath as mp

mp.mp.prec = 250
GRID = 600  # points on which the error is watched
PRECISION = {"float": 24, "double": 53}
EXPONENT_BITS = {"float": 8, "double": 11}
# Phi(-a) and a phi(a) are zero beyond; of several such for float, rounding harms these coefficients the least.
TAIL_END = {"float": mp.mpf("14.578125"), "double": mp.mpf("38.75")}
HALF_LN2 = mp.log(2) / 2 * mp.mpf("1.0001")

Function = Callable[[mp.mpf], mp.mpf]


@dataclass(frozen=True)
class Fit:
    """A polynomial of so many terms close to target(u), in units of 1 / weight(u), for low <= u <= high."""

    name: str
    formula: str
    terms: dict[str, int]  # the fewest that leave the error to rounding
    low: mp.mpf
    high: mp.mpf
    target: Function
    weight: Function


def atanh_rest(w: mp.mpf) -> mp.mpf:
    """(2 atanh(s) - 2 s) / s^3 for w = s^2."""
    s = mp.sqrt(w)
    return 2 * (mp.atanh(s) - s) / s**3


def erf_ratio(z: mp.mpf) -> mp.mpf:
    """erf(x) / x for z = x^2."""
    return mp.erf(mp.sqrt(z)) / mp.sqrt(z)


def tail(a: mp.mpf) -> mp.mpf:
    """Phi(-a) exp(a^2 / 2)."""
    return mp.erfc(a / mp.sqrt(2)) * mp.exp(a * a / 2) / 2


FITS = (
    Fit(
        "exp_poly",
        "(exp(r) - 1 - r) / r^2 for |r| <= ln(2) / 2",
        {"float": 5, "double": 10},
        -HALF_LN2,
        HALF_LN2,
        lambda r: (mp.expm1(r) - r) / r**2,
        lambda r: r**2 / abs(mp.expm1(r)),
    ),
    Fit(
        "log_poly",
        "(2 atanh(s) - 2 s) / s^3 in w = s^2 for |s| <= 1/5",
        {"float": 3, "double": 8},
        mp.mpf(0),
        mp.mpf("0.04"),
        atanh_rest,
        lambda w: w ** mp.mpf("1.5") / mp.atanh(mp.sqrt(w)),
    ),
    Fit(
        "erf_poly",
        "erf(x) / x - 1 in z = x^2 for |x| <= 27/32",
        {"float": 6, "double": 11},
        mp.mpf(0),
        mp.mpf(27) ** 2 / 32**2,
        lambda z: erf_ratio(z) - 1,
        lambda z: 1 / erf_ratio(z),
    ),
)


def largest_alternating(errors: list[mp.mpf], count: int) -> list[int]:
    """Indices of count errors of alternating sign, as large as can be."""
    peaks: list[int] = []
    for i, e in enumerate(errors):
        if not peaks or (e > 0) != (errors[peaks[-1]] > 0):
            peaks.append(i)
        elif abs(e) > abs(errors[peaks[-1]]):
            peaks[-1] = i
    while len(peaks) > count:
        peaks.pop(0 if abs(errors[peaks[0]]) < abs(errors[peaks[-1]]) else -1)
    return peaks


def remez(
    us: list[mp.mpf], fs: list[mp.mpf], ws: list[mp.mpf], terms: int, degree: int = 0
) -> tuple[list[mp.mpf], list[mp.mpf]]:
    """Coefficients of p and of q, q(0) = 1, that make the largest |w (f - p / q)| as small as can be.

    The equations p(u) - f(u) q(u) = +-level q(u) / w(u) are linear once the last q is an earlier one.
    """
    unknowns = terms + degree
    picked = [round(i * (len(us) - 1) / unknowns) for i in range(unknowns + 1)]
    qs = [(1 + u) ** degree for u in us]
    for _ in range(40):
        rows = [
            [us[i] ** k for k in range(terms)]
            + [-fs[i] * us[i] ** k for k in range(1, degree + 1)]
            + [(-1) ** row * qs[i] / ws[i]]
            for row, i in enumerate(picked)
        ]
        solution = list(mp.lu_solve(mp.matrix(rows), mp.matrix([fs[i] for i in picked])))
        p, q, level = solution[:terms], [mp.mpf(1), *solution[terms:unknowns]], abs(solution[unknowns])
        qs = [mp.polyval(q[::-1], u) for u in us]
        errors = [w * (f - mp.polyval(p[::-1], u) / d) for u, f, w, d in zip(us, fs, ws, qs, strict=True)]
        if max(map(abs, errors)) < 1.01 * level:
            return p, q
        picked = largest_alternating(errors, unknowns + 1)
    raise ArithmeticError("the exchange did not settle")


def rounded(values: list[mp.mpf], bits: int) -> list[mp.mpf]:
    with mp.workprec(bits):
        return [+v for v in values]


def chebyshev_points(low: mp.mpf, high: mp.mpf) -> list[mp.mpf]:
    angles = [mp.pi * (2 * i + 1) / (2 * GRID) for i in range(GRID)]
    return [(low + high) / 2 - (high - low) / 2 * mp.cos(angle) for angle in angles]


def show(name: str, values: list[mp.mpf]) -> None:
    digits = [float(v).hex().replace("0000000p", "p") for v in values]
    print(f"static const REAL FN({name})[] = {{\n    " + ",\n    ".join(digits) + ",\n};")


def show_polynomial(fit: Fit, dtype: str) -> None:
    us = chebyshev_points(fit.low, fit.high)
    fs, ws = [fit.target(u) for u in us], [fit.weight(u) for u in us]
    values = rounded(remez(us, fs, ws, fit.terms[dtype])[0], PRECISION[dtype])
    worst = max(abs(w * (f - mp.polyval(values[::-1], u))) for u, f, w in zip(us, fs, ws, strict=True))
    print(f"\n/* {fit.formula}; relative error 2^{float(mp.log(worst, 2)):.1f}. */")
    show(fit.name, values)


def show_tail(dtype: str) -> None:
    """All coefficients turn out positive, so that the quotient is as well conditioned as can be."""
    bits, end, terms = PRECISION[dtype], TAIL_END[dtype], {"float": 5, "double": 11}[dtype]
    us = [4 * (1 + t) / (1 - t) for t in chebyshev_points(mp.mpf(-1), (end - 4) / (end + 4))]
    fs = [tail(u) for u in us]
    p, q = (rounded(c, bits) for c in remez(us, fs, [1 / f for f in fs], terms, terms))
    quotients = [mp.polyval(p[::-1], u) / mp.polyval(q[::-1], u) for u in us]
    worst = max(abs(quotient / f - 1) for quotient, f in zip(quotients, fs, strict=True))
    print("\n/* Phi(-a) exp(a^2 / 2) as a quotient for 0 <= a <= tail_end, beyond which Phi(-a) and a phi(a) are 0;")
    print(f" * relative error 2^{float(mp.log(worst, 2)):.1f}. */")
    print(f"static const REAL FN(tail_end) = {float(end)};")
    show("tail_numerator", p)
    show("tail_denominator", q)


def main() -> None:
    dtype = sys.argv[1]
    bits = PRECISION[dtype]
    high = rounded([mp.log(2)], bits - EXPONENT_BITS[dtype])[0]
    print("/* Written by tools/minimax.py. */\n/* clang-format off */\n")
    print("/* ln 2 in two parts; the first leaves room for its product with any exponent to be exact. */")
    show("ln2", [high, *rounded([mp.log(2) - high], bits)])
    for fit in FITS:
        show_polynomial(fit, dtype)
    show_tail(dtype)


if __name__ == "__main__":
    main()
