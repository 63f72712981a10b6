#!/usr/bin/env python3
"""Stored procedures in three languages, called from everywhere, and deployed again and again under load.

    demo/procedures/run.py [--binary PATH] [--components FOLDER] [--seconds 30] [--clients 16] [--accounts 64]
                           [--flights 50000] [--seed N]

Deploys the examples of guest/examples (ledger in Rust, fare in JavaScript, text in Python), loads a bank and some of
the flights of 2013, and calls all three inside transactions: from `isobar sql`, over HTTP, and from each other. Then
clients move money through the ledger's `transfer` while its versions are deployed and rolled back. Not one call may
fail for that, the total never changes, and every transfer that was acknowledged is there. Exits with 1 otherwise.
"""

import argparse
import pathlib
import shutil
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "flights")]

from calls import call_everything  # noqa: E402
from load import transfer_under_redeploys  # noqa: E402
from node import DEFAULT_BINARY, REPOSITORY, Node  # noqa: E402
from stage import COMPONENTS, Story, deploy_all, load_bank, load_flights  # noqa: E402

# Python itself is compiled when a component of Python is deployed: a busy machine takes its time.
SETTINGS = "[procedures]\ncompile_ms = 900000\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=DEFAULT_BINARY)
    parser.add_argument("--components", type=pathlib.Path, default=REPOSITORY / "guest" / "examples" / "built")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--accounts", type=int, default=64)
    parser.add_argument("--flights", type=int, default=50_000, help="how many of the 336,776 to load")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    missing = [name for name in COMPONENTS if not (options.components / f"{name}.wasm").exists()]
    if missing:
        sys.exit(f"{options.components} has no {', '.join(missing)}: build the examples with guest/examples/build.sh")

    folder = pathlib.Path(tempfile.mkdtemp(prefix="isobar-procedures-"))
    node, story = Node(options.binary, folder, SETTINGS), Story()
    try:
        print(f"node ready after {node.start() * 1000:.0f} ms at {node.url}, seed {options.seed}", flush=True)
        deploy_all(node, story, options.components)
        total = load_bank(node, story, options.accounts)
        load_flights(node, story, options.flights, folder)
        call_everything(node, story, total)
        transfer_under_redeploys(node, story, options, total)
        if story.complaints:
            print(f"the node's last words:\n{node.last_words()}")
    finally:
        node.stop()
        shutil.rmtree(folder)
    for complaint in story.complaints[:20]:
        print(f"WRONG: {complaint}")
    print(f"{story.checked} checks, {len(story.complaints)} complaints")
    sys.exit(1 if story.complaints else 0)


if __name__ == "__main__":
    main()
