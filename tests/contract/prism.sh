#!/bin/sh
# Holds the BigCommerce connector's requests to the published contract by an independent referee:
# Stoplight's Prism, in a folder of its own below the cache, mocking the contract with --errors.
# Needs node and npm. Usage: tests/contract/prism.sh
set -eu

project=$(cd "$(dirname "$0")/../.." && pwd)
prism="${XDG_CACHE_HOME:-$HOME/.cache}/patron/prism"

if ! command -v npm > /dev/null; then
    echo "prism.sh: npm is not installed" >&2
    exit 2
fi
if [ ! -x "$prism/node_modules/.bin/prism" ]; then
    mkdir -p "$prism"
    (cd "$prism" && npm install --no-audit --no-fund --silent @stoplight/prism-cli@5)
fi

cd "$project"
PATRON_PRISM="$prism/node_modules/.bin/prism" exec "${PYTHON:-.venv/bin/python}" -m pytest -q -s \
    tests/contract/test_bigcommerce_prism.py "$@"
