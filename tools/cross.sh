#!/bin/sh
# Compiles the C floor for other systems and processors by zig's clang (ziglang from PyPI), warnings as errors, and the
# extensions where Python's headers of this machine fit. Kernels that can run here are run, also under qemu-user and
# wine where they are installed, and must have the bits of this machine's. Machines of 32 bits or with the other order of
# bytes must be refused. usage: tools/cross.sh PYTHON      one with ziglang, Cython, setuptools and numpy
set -eu
python=$1
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
zig="$python -m ziglang cc"
flags="-std=gnu11 -fno-math-errno -fno-trapping-math -ffp-contract=off -Isrc_c"
strict="-O1 -Wall -Wextra -Werror $flags"
wine=$(command -v wine || command -v wine64 || command -v /usr/lib/wine/wine64 || echo wine)
jobs=$(getconf _NPROCESSORS_ONLN)

for target in x86_64-linux-musl aarch64-linux-gnu x86_64-windows-gnu aarch64-macos x86_64-macos; do
	mkdir "$folder/$target"
	ls src_c/*.c src_c/isa/*.c tools/kernel_hash.c | while read -r file; do
		echo "$file $folder/$target/$(basename "$file" .c).o"
	done | xargs -P "$jobs" -n 2 sh -c "$zig -target $target $strict -c \$0 -o \$1"
	echo "$target: the C floor compiles"
done

for target in x86-linux-musl s390x-linux-gnu; do
	if $zig -target $target $flags -fsyntax-only src_c/rows.c 2> "$folder/refusal"; then
		echo "$target should be refused"
		exit 1
	fi
	grep -q "fastnn needs" "$folder/refusal"
	echo "$target: refused: $(grep -o 'fastnn needs.*"\?' "$folder/refusal" | head -1)"
done

"$python" setup.py --quiet --name > "$folder/cython.log" 2>&1 || { cat "$folder/cython.log"; exit 1; }
includes=$("$python" -c "import numpy, sysconfig; print('-I' + sysconfig.get_path('include'), '-I' + numpy.get_include())")
for target in x86_64-linux-musl aarch64-linux-gnu; do
	ls fastnn/_core/*.c | xargs -P "$jobs" -n 1 $zig -target $target $flags $includes -fsyntax-only \
		-DNPY_NO_DEPRECATED_API=NPY_1_7_API_VERSION
	echo "$target: the extensions compile"
done

# What a program of another system prints must be what that of this machine prints.
${CC:-cc} -O2 $flags -DFNN_CPUID tools/kernel_hash.c src_c/dispatch.c src_c/isa/*.c -lm -o "$folder/native"
"$folder/native" avx2 > "$folder/native.txt"
compare() { # NAME COMMAND...
	name=$1
	shift
	if ! command -v "$1" > /dev/null; then
		echo "$name: not run, there is no $1"
		return
	fi
	"$@" 2> /dev/null | tr -d '\r' > "$folder/other.txt"
	diff -q "$folder/native.txt" "$folder/other.txt" || { echo "$name has other bits"; exit 1; }
	echo "$name: $(wc -l < "$folder/native.txt") hashes, those of this machine"
}
link() { # TARGET PROGRAM
	$zig -target "$1" "$folder/$1/kernel_hash.o" "$folder/$1/dispatch.o" "$folder/$1"/avx512.o "$folder/$1"/avx2.o \
		"$folder/$1"/sse2.o "$folder/$1"/neon.o -lm -o "$2"
}
link x86_64-linux-musl "$folder/musl"
compare "x86_64-linux-musl" "$folder/musl" avx2
link x86_64-windows-gnu "$folder/windows.exe"
compare "x86_64-windows-gnu" "$wine" "$folder/windows.exe" avx2
link aarch64-linux-gnu "$folder/arm"
compare "aarch64-linux-gnu" qemu-aarch64 -L "${ARM_ROOT:-/usr/aarch64-linux-gnu}" "$folder/arm" neon

# The pool of threads, whose Windows half is compiled nowhere else here.
pool() { # TARGET COMMAND...
	target=$1
	shift
	if ! command -v "$1" > /dev/null; then
		echo "$target: the pool was not run, there is no $1"
		return
	fi
	$zig -target "$target" -O2 $flags tools/pool_check.c src_c/pool.c src_c/process.c -pthread -o "$folder/pool.exe"
	echo "$target: the pool: $(WINEDEBUG=-all "$@" "$folder/pool.exe" 2> /dev/null)"
}
pool x86_64-linux-musl env
pool x86_64-windows-gnu "$wine"
pool aarch64-linux-gnu qemu-aarch64 -L "${ARM_ROOT:-/usr/aarch64-linux-gnu}"
