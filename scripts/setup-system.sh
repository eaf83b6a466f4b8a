#!/usr/bin/env bash
# usage: setup-system.sh [chromium] [postgresql]
# Installs what is missing of these by apt-get, when root; says what is missing otherwise, and fails.
set -euo pipefail

have() {
    case $1 in
        chromium)
            type -P chromium >/dev/null || type -P chromium-browser >/dev/null ||
                type -P google-chrome >/dev/null
            ;;
        postgresql)
            # Debian keeps the server's programs off PATH.
            compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || type -P postgres >/dev/null
            ;;
        *)
            sed -n '2,3s/^# //p' "$0"
            [ "$1" = --help ] || [ "$1" = -h ]
            exit
            ;;
    esac
}

missing=()
for package in "$@"; do
    have "$package" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" = 0 ] && type -P apt-get >/dev/null; then
    echo "  apt-get   ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    log=$(mktemp)
    # RUNLEVEL=1 keeps Debian from starting a server: the tests start their own.
    if ! { apt-get update -qq && RUNLEVEL=1 apt-get install -qq -y --no-install-recommends \
        "${missing[@]}"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
    fi
    rm -f "$log"
fi

still=()
for package in "${missing[@]}"; do
    have "$package" || still+=("$package")
done
if [ ${#still[@]} -gt 0 ]; then
    echo "missing on this machine: ${still[*]}. Install them (Debian: apt-get install ${still[*]})," \
        "or run \`make setup-system\` as root; the tests that need them fail until then." >&2
    exit 1
fi
