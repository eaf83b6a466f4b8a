#!/usr/bin/env bash
# usage: run-tiers.sh TIER...
# Runs `make test-TIER` for each, goes on after a failure, adds up what pytest and forge counted,
# and fails if any tier did.
set -uo pipefail

case "${1:---help}" in
    -h | --help)
        sed -n '2,4s/^# //p' "$0"
        exit 0
        ;;
esac

log_dir=var/logs
mkdir -p "$log_dir"
passed=0
failed=0
skipped=0
broken=()

# The last line of pytest is "=== 3 passed, 1 failed in 0.12s ===", of forge
# "Ran 1 test suite in 1s: 3 tests passed, 1 failed, 0 skipped (4 total tests)".
count() { # word, log
    sed 's/\x1b\[[0-9;]*m//g' "$2" | grep -E '^=.* in [0-9.]+s|^Ran [0-9]+ test suites?.* in ' | tail -n 1 |
        grep -oE "[0-9]+ (tests )?$1" | grep -oE '^[0-9]+' | awk '{ n += $1 } END { print n + 0 }'
}

for tier in "$@"; do
    echo
    echo "== $tier"
    log=$log_dir/test-$tier.log
    bad=0
    ${MAKE:-make} "test-$tier" 2>&1 | tee "$log" || bad=1
    faults=$(($(count failed "$log") + $(count 'errors?' "$log")))
    if [ $bad = 1 ]; then
        broken+=("$tier")
        # A tier can fail without a failed test, as when nothing was collected: it counts for one.
        [ "$faults" -gt 0 ] || faults=1
    fi
    passed=$((passed + $(count passed "$log")))
    failed=$((failed + faults))
    skipped=$((skipped + $(count skipped "$log")))
done
echo
[ ${#broken[@]} = 0 ] || echo "failing tiers: ${broken[*]} (logs in $log_dir)"
echo "$passed passed, $failed failed, $skipped skipped"
[ ${#broken[@]} = 0 ]
