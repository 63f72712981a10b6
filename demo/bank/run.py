#!/usr/bin/env python3
"""A bank: clients move money between accounts over HTTP while the node is killed and started again.

    demo/bank/run.py [--binary PATH] [--seconds 60] [--clients 16] [--accounts 100] [--kills 5] [--seed N]

Half of the transfers are atomic batches under an Idempotency-Key, half are interactive transactions. Whoever loses a
conflict (40001) tries again; whoever loses the connection asks GET /v1/commits/{ulid} what became of the transfer.
Auditors add up all balances the whole time. At the end every transfer that was acknowledged must be there exactly
once, none that was refused may be, and the money must be what it was. Exits with 1 otherwise.
"""

import argparse
import pathlib
import random
import shutil
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from node import DEFAULT_BINARY, Node  # noqa: E402
from transfers import OPENING_BALANCE, SCHEMA, Client, Ledger, Lost, audit, make_transfer, verify  # noqa: E402


def work(node, ledger, options, number, until):
    """Makes transfers until the time is up. No transfer is left with its fate unknown."""
    client, chance = Client(node), random.Random(options.seed * 1000 + number)
    while time.monotonic() < until:
        source, target = chance.sample(range(1, options.accounts + 1), 2)
        amount = chance.randint(1, 50)
        began, interactive = time.monotonic(), chance.random() < 0.5
        try:
            make_transfer(client, ledger, interactive, (source, target, amount))
        except Lost as error:
            ledger.complain(f"client {number}: {error}")
            return
        waited = time.monotonic() - began
        with ledger.lock:
            ledger.longest_wait = max(ledger.longest_wait, waited)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=DEFAULT_BINARY)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--accounts", type=int, default=100)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()

    folder = pathlib.Path(tempfile.mkdtemp(prefix="isobar-bank-"))
    node, ledger = Node(options.binary, folder), Ledger()
    total = options.accounts * OPENING_BALANCE
    try:
        print(f"node ready after {node.start() * 1000:.0f} ms at {node.url}, seed {options.seed}", flush=True)
        for statement in SCHEMA:
            node.query(statement)
        node.query(f"INSERT INTO account SELECT g, {OPENING_BALANCE} FROM generate_series(1, {options.accounts}) g")
        began = time.monotonic()
        until = began + options.seconds
        threads = [threading.Thread(target=work, args=(node, ledger, options, n, until)) for n in range(options.clients)]
        threads += [threading.Thread(target=audit, args=(Client(node), ledger, total, until)) for _ in range(2)]
        for thread in threads:
            thread.start()
        kill_now_and_then(node, ledger, options, began)
        for thread in threads:
            thread.join()
        complaints = ledger.errors + verify(node, ledger, options.accounts, total)
        print_account(ledger, options)
        for complaint in complaints[:20]:
            print(f"WRONG: {complaint}")
        good = not complaints
        print("the money is all there, and every acknowledged transfer exactly once" if good else f"{len(complaints)} complaints")
    finally:
        node.stop()
        shutil.rmtree(folder)
    sys.exit(0 if good else 1)


def kill_now_and_then(node, ledger, options, began):
    """Kills the node at random moments, about evenly spread over the time, and starts it again at once."""
    chance = random.Random(options.seed)
    slot = options.seconds / (options.kills + 1)
    for number in range(options.kills):
        moment = began + slot * (number + 0.5 + chance.random())
        time.sleep(max(0, moment - time.monotonic()))
        with ledger.lock:
            done = len(ledger.acknowledged)
        node.kill()
        ready = node.start()
        print(f"{time.monotonic() - began:5.1f} s  killed after {done} transfers, ready again after {ready * 1000:.0f} ms", flush=True)


def print_account(ledger, options):
    counts, made = ledger.counts, len(ledger.acknowledged)
    print(f"{made} transfers acknowledged, {made / options.seconds:.0f} a second ({counts['batches']} batches, {counts['interactive']} interactive)")
    print(f"{counts['conflicts']} conflicts tried again, {counts['not enough money']} refused for lack of money, {counts['audits']} audits")
    found = ", ".join(f"{counts[f'lost, found {status}']} {status}" for status in ("committed", "refused", "unknown"))
    print(f"{counts['connections lost']} connections lost in mid-transfer: asked afterwards, {found}; "
          f"longest wait {ledger.longest_wait:.2f} s")


if __name__ == "__main__":
    main()
