#!/usr/bin/env bash
# Builds the example procedures, from the locked versions of their tools, into guest/examples/built: ledger.wasm,
# fare.wasm, text.wasm. Skips nothing: a tool that is missing is an error.
#
#     guest/examples/build.sh [FOLDER]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
output=${1:-$here/built}
mkdir -p "$output"
output=$(cd "$output" && pwd)

need() {
  if ! command -v "$1" >/dev/null; then
    echo "$1 is not there: $2 needs it" >&2
    exit 1
  fi
}
need cargo ledger
need npm fare
need python3 text

echo "== ledger (Rust)"
cd "$here/../.."
target=${CARGO_TARGET_DIR:-target}
cargo build --release --target wasm32-unknown-unknown --package ledger
cp "$target/wasm32-unknown-unknown/release/ledger.wasm" "$output/ledger.wasm"

echo "== fare (JavaScript)"
cd "$here/fare"
npm ci --no-audit --no-fund
npm run build
cp fare.wasm "$output/fare.wasm"

echo "== text (Python)"
cd "$here/text"
if [ ! -x .venv/bin/python ]; then
  python3 -m venv .venv
fi
.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
.venv/bin/componentize-py --wit-path wit --world text-statistics componentize statistics_of_text --output text.wasm
cp text.wasm "$output/text.wasm"

ls -l "$output"/*.wasm
