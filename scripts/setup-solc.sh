#!/usr/bin/env bash
# Puts the solc shim into var/solc, under the name by which py-solc-x and Brownie look for it
# (SOLCX_BINARY_PATH=var/solc), and forge and anvil into var/bin. Needs node_modules.
set -euo pipefail

case "${1:-}" in
    -h | --help)
        sed -n '2,3s/^# //p' "$0"
        exit 0
        ;;
esac

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
version=$(sed -n 's/^ *"compiler": *"\(.*\)",*$/\1/p' "$root/contracts/settings.json")
target=$root/var/solc/solc-v$version

mkdir -p "$root/var/solc"
cat >"$target.$$" <<'SHIM'
#!/usr/bin/env bash
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
node=$root/var/bin/node
[ -x "$node" ] || node=node
exec "$node" "$root/scripts/solc-shim.js" "$@"
SHIM
chmod 755 "$target.$$"
mv -f "$target.$$" "$target"

found=$("$target" --version | sed -n 's/^Version: \([0-9.]*[0-9]\).*/\1/p')
if [ "$found" != "$version" ]; then
    echo "contracts/settings.json asks for solc $version, node_modules holds ${found:-none}: set" \
        "the same version in package.json, then npm install" >&2
    exit 1
fi
echo "  solc      $version in var/solc"

# npm may leave out their links in node_modules/.bin: the packages of all platforms claim the same
# name, and removing those of other platforms removes it.
mkdir -p "$root/var/bin"
for tool in forge anvil; do
    rm -f "$root/var/bin/$tool"
    for binary in "$root"/node_modules/@foundry-rs/"$tool"-*/bin/"$tool"; do
        [ ! -x "$binary" ] || ln -sfn "$binary" "$root/var/bin/$tool"
    done
done
