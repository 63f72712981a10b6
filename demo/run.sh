#!/bin/sh
# Three regions, one database: starts them, loads real data, runs a bank at all three, kills one and brings it back.
# See demo/README.md. It takes under three minutes and leaves nothing behind.
folder=$(cd "$(dirname "$0")" && pwd)
exec python3 "$folder/regions/run.py" "$@"
