#!/bin/sh
# Installs what a lock file names (by hash) and this checkout into a virtual environment.
# usage: install.sh VENV/bin LOCK
# uv is about twenty times as quick as pip; where it cannot reach a registry, pip does it.
set -eu
bin=$1
lock=$2
venv=$(cd "$bin/.." && pwd)
# Nothing outside the checkout: the caches live and die with the virtual environment.
export UV_CACHE_DIR="${UV_CACHE_DIR:-$venv/.cache/uv}"
export PIP_CACHE_DIR="${PIP_CACHE_DIR:-$venv/.cache/pip}"
echo "installing $lock"
if [ ! -x "$bin/uv" ]; then
    pin=$(mktemp)
    trap 'rm -f "$pin"' EXIT
    # uv's own block of the lock: the line "uv==..." and its hashes.
    awk '/^uv==/ {on = 1} on {print} on && !/\\$/ {exit}' "$lock" >"$pin"
    "$bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$pin"
fi
if "$bin/uv" pip install --quiet --python "$bin/python" --require-hashes -r "$lock"; then
    "$bin/uv" pip install --quiet --python "$bin/python" --no-deps --no-build-isolation -e .
else
    echo "uv did not manage it, now with pip (about a minute)" >&2
    "$bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
    "$bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
        --no-build-isolation -e .
fi
