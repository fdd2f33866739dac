#!/bin/sh
# Threads that share work, and threads of Python that share networks, in a build with ThreadSanitizer; a data race ends it
# with status 66. It takes gcc. usage: tools/tsan.sh PYTHON [build|run [ARGUMENT...]]
set -eu
python=$1
what=${2:-all}
[ $# -lt 2 ] && shift 1 || shift 2
root=$(cd "$(dirname "$0")/.." && pwd)
where=$root/build/tsan
cd "$root"

if [ "$what" = all ] || [ "$what" = build ]; then
	FASTNN_CHECK_FLAGS="-fsanitize=thread" CC="$root/tools/checked_cc.sh" \
		"$python" setup.py --quiet build --build-base "$where" --build-lib "$where/lib"
fi
if [ "$what" = all ] || [ "$what" = run ]; then
	# Python and NumPy are not instrumented: what only they do is left out, their locks are seen. ThreadSanitizer does
	# not work with addresses laid out at random by newer kernels (setarch -R).
	export LD_PRELOAD="$(gcc -print-file-name=libtsan.so)"
	export TSAN_OPTIONS="ignore_noninstrumented_modules=1:halt_on_error=${TSAN_HALT:-1}:exitcode=66:suppressions=$root/tools/tsan.supp"
	export PYTHONSAFEPATH=1 PYTHONPATH=$where/lib:$root/tests
	exec setarch "$(uname -m)" -R "$python" -m support.racing "$@"
fi
