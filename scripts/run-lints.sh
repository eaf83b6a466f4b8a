#!/usr/bin/env bash
# usage: run-lints.sh
# Runs every check of style, types, imports and contracts, goes on after a failure, and fails if any
# did. Meant to be called by `make lint`, which puts the tools on PATH.
set -uo pipefail

case "${1:-}" in
    -h | --help)
        sed -n '2,4s/^# //p' "$0"
        exit 0
        ;;
esac

bin=var/venv/bin
failures=()

check() { # name, command...
    local name=$1 output
    shift
    if output=$("$@" 2>&1); then
        printf '  ok        %s\n' "$name"
    else
        printf '  FAILED    %s\n%s\n' "$name" "$output"
        failures+=("$name")
    fi
}

check "ruff rules" "$bin/ruff" check .
check "ruff format" "$bin/ruff" format --check .
check "mypy" "$bin/mypy"
check "imports" "$bin/lint-imports"
check "compiler settings and ABIs" "$bin/python" scripts/compile.py --check
if type -P forge >/dev/null; then
    check "forge fmt" forge fmt --check
    # Slither builds with forge, so it needs the same platforms; in a folder of its own, since it
    # cleans before it builds and a test may be running.
    check "slither" env FOUNDRY_OUT=var/forge/slither FOUNDRY_CACHE_PATH=var/forge/slither-cache \
        "$bin/slither" . --config-file slither.config.json
else
    echo "  skipped   forge fmt, slither: npm has no forge for $(uname -sm)"
fi
check "solhint" npm run --silent solhint

if [ ${#failures[@]} -gt 0 ]; then
    printf '\n%s check(s) failed: ' "${#failures[@]}"
    printf '%s; ' "${failures[@]}"
    echo
    exit 1
fi
