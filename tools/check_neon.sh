#!/usr/bin/env bash
# Compiles the NEON kernels with a cross compiler, runs them under qemu-user, and compares their bits with those of the
# AVX2 kernels (on x86-64). Debian: apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user
set -euo pipefail
cd "$(dirname "$0")/.."
cross=${CROSS_CC:-aarch64-linux-gnu-gcc}
for tool in "$cross" qemu-aarch64; do
    command -v "$tool" > /dev/null || { echo "make neon needs $tool (Debian: gcc-aarch64-linux-gnu, qemu-user)"; exit 1; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
flags="-O3 -std=gnu11 -Wall -Wextra -Werror -fno-math-errno -fno-trapping-math -ffp-contract=off -Isrc_c"
sources="tools/kernel_hash.c src_c/dispatch.c $(echo src_c/isa/*.c)"
"$cross" $flags -static $sources -lm -o "$folder/neon"
"${CC:-cc}" $flags $sources -lm -o "$folder/native"
qemu-aarch64 "$folder/neon" neon > "$folder/neon.txt"
"$folder/native" avx2 > "$folder/native.txt"
diff "$folder/native.txt" "$folder/neon.txt" && echo "$(wc -l < "$folder/neon.txt") hashes: NEON and AVX2 agree bit for bit"
