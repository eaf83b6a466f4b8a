#!/usr/bin/env bash
# usage: brownie.sh ARGUMENTS      as `brownie ARGUMENTS`, in Brownie's own environment
# Brownie reads its networks from $HOME/.brownie only, and takes over a node that it finds on its
# port. So each run gets a home of its own in var/home, and ports that nobody uses.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/var/brownie-venv
if [ ! -e "$venv/.complete" ]; then
    echo "Brownie is not installed: run \`make setup-brownie\` first" >&2
    exit 1
fi

mkdir -p "$root/var/home" "$root/var/brownie"
home=$(mktemp -d "$root/var/home/brownie.XXXXXX")
trap 'rm -rf "$home"' EXIT
mkdir -p "$home/.brownie"
port=$("$venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
sed "s/port: 8545/port: $port/" "$root/tests/contracts/network-config.yaml" \
    >"$home/.brownie/network-config.yaml"

export HOME=$home
export SOLCX_BINARY_PATH=${SOLCX_BINARY_PATH:-$root/var/solc}
export PATH=$root/var/bin:$root/node_modules/.bin:$PATH
cd "$root"
"$venv/bin/brownie" "$@"
