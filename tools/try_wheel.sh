#!/bin/sh
# Installs a wheel in a new virtual environment, with nothing but it and Python in PATH (no compiler), and runs the
# suite against it. usage: tools/try_wheel.sh PYTHON WHEEL [ARGUMENT OF PYTEST...]
set -eu
python=$1
wheel=$2
shift 2
root=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m venv "$folder/venv"
# Whatever has no wheel for this Python is left out by the suite; fastnn and what it needs must be there.
"$folder/venv/bin/pip" install --quiet --only-binary :all: "$wheel"
"$folder/venv/bin/pip" install --quiet --prefer-binary "$wheel[test]"
PATH="$folder/venv/bin"
unset CC
export PATH
cd "$root"
PYTHONSAFEPATH=1 "$folder/venv/bin/python" -m pytest -p no:cacheprovider "$@"
