#!/usr/bin/env bash
# usage: setup-venv.sh DIR REQUIREMENTS [what is to be installed besides, without its dependencies]
# Makes or completes a virtual environment. One that an interruption left half-made is made anew.
set -euo pipefail

if [ $# -lt 2 ]; then
    sed -n '2,3s/^# //p' "$0"
    [ "${1:-}" = --help ] || [ "${1:-}" = -h ]
    exit
fi

venv=$1
requirements=$2
shift 2
marker=$venv/.complete
python=${PYTHON:-python3}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Python 3.11 or newer is needed; $python is $("$python" --version). Set PYTHON=..." >&2
    exit 1
}
if [ -e "$venv" ] && ! { [ -e "$marker" ] && "$venv/bin/python" -m pip --version >/dev/null 2>&1; }; then
    echo "  venv      $venv is incomplete: making it anew"
    rm -rf "$venv"
fi
rm -f "$marker"
if [ ! -x "$venv/bin/python" ]; then
    echo "  venv      $venv ($("$python" --version))"
    "$python" -m venv "$venv" || {
        echo "python3 -m venv failed; on Debian: apt-get install python3-venv" >&2
        exit 1
    }
fi
echo "  pip       $requirements into $venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
    --requirement "$requirements"
if [ $# -gt 0 ]; then
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
        --no-deps --no-build-isolation "$@"
fi
touch "$marker"
