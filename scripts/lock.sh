#!/usr/bin/env bash
# usage: lock.sh
# Resolves the dependencies of pyproject.toml anew, in a throw-away environment, and writes what was
# chosen to requirements.lock. Run the tests before committing the difference.
set -euo pipefail

case "${1:-}" in
    -h | --help)
        sed -n '2,4s/^# //p' "$0"
        exit 0
        ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/python" - >"$work/wanted" <<'PY'
import tomllib

project = tomllib.load(open("pyproject.toml", "rb"))["project"]
print("\n".join(project["dependencies"] + project["optional-dependencies"]["dev"]))
PY
echo "  pip       resolving $(wc -l <"$work/wanted") requirements"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade \
    --requirement "$work/wanted"
{
    echo "# What was tested, exactly. Remade by \`make lock\`; pyproject.toml says what is needed and why."
    "$work/venv/bin/python" -m pip freeze --all --exclude pip | LC_ALL=C sort -f
} >"$work/lock"
if grep -n ' @ ' "$work/lock"; then
    echo "the lines above are not name==version" >&2
    exit 1
fi
mv "$work/lock" requirements.lock
echo "  lock      $(grep -c == requirements.lock) packages"
