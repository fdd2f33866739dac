#!/bin/sh
# The suite and random calls in a build with AddressSanitizer and UndefinedBehaviorSanitizer; any finding ends it with
# status 1. It takes gcc. usage: tools/sanitize.sh PYTHON [build|suite|random [ARGUMENT...]]
set -eu
python=$1
what=${2:-all}
[ $# -lt 2 ] && shift 1 || shift 2
root=$(cd "$(dirname "$0")/.." && pwd)
where=$root/build/sanitize
cd "$root"

if [ "$what" = all ] || [ "$what" = build ]; then
	FASTNN_CHECK_FLAGS="-fsanitize=address,undefined,float-cast-overflow" CC="$root/tools/checked_cc.sh" \
		"$python" setup.py --quiet build --build-base "$where" --build-lib "$where/lib"
fi

# Python frees nothing at its end (no leaks are looked for), and pymalloc would hide what happens within its pools.
export LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)"
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1:detect_stack_use_after_return=1:handle_segv=1
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}
export PYTHONMALLOC=malloc PYTHONSAFEPATH=1 PYTHONPATH=$where/lib:$root/tests

if [ "$what" = all ] || [ "$what" = suite ]; then
	# Left out: what counts instructions, kills, or measures time or memory, which sanitizers take more of.
	"$python" -m pytest -p no:cacheprovider --capture=sys \
		--ignore=tests/test_instructions.py --ignore=tests/test_kills.py --ignore=tests/test_leaks.py \
		--ignore=tests/bench --ignore=tests/test_benchmarks.py --ignore=tests/test_failing_allocations.py \
		--deselect=tests/test_budgets.py::test_tuples_around_a_list_are_not_copied_again_and_again \
		--deselect=tests/test_streams.py::test_training_takes_no_more_memory_than_a_piece \
		--deselect=tests/test_streams.py::test_ctrl_c_ends_the_wait_for_a_slow_source \
		--deselect=tests/metrics/test_classification.py::test_rates_of_several_labels \
		--deselect=tests/test_checkpoint.py::test_ctrl_c_leaves_a_checkpoint_of_the_last_batch \
		--deselect=tests/test_threads.py::test_threads_are_given_up_for_a_while_where_regions_take_far_too_long \
		--deselect=tests/test_processes.py::test_import_loads_nothing_heavy_and_takes_little_time "$@"
fi
if [ "$what" = all ] || [ "$what" = random ]; then
	"$python" -m support.random_calls "$@"
fi
