#!/usr/bin/env python3
"""Measures a node side by side with PostgreSQL 15 on this machine, and prints ratios.

    demo/speed/run.py [--binary PATH] [--rows N] [--repeat N]

Scans: filter and aggregate over pgbench-like rows, both warm, PostgreSQL without parallel workers; the best of N runs.
Starts: from the process' start to its first answer, on an empty folder and on the folder that the scans left.
"""

import argparse
import pathlib
import shutil
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

from node import DEFAULT_BINARY, Node  # noqa: E402
from postgres import Postgres  # noqa: E402

SCHEMA = "CREATE TABLE accounts (aid integer PRIMARY KEY, bid integer NOT NULL, abalance integer NOT NULL, filler char(84) NOT NULL)"

FILL = """INSERT INTO accounts SELECT g, (g - 1) / 100000 + 1, (g::bigint * 7919 % 10007)::int - 5003, 'x'
FROM generate_series({first}, {last}) AS g"""

# Rows of one INSERT, below the limit of a transaction's size.
FILL_ROWS = 50_000

SCANS = [
    ("count with a filter", "SELECT count(*) FROM accounts WHERE abalance > 0"),
    ("sum and average with a filter", "SELECT sum(abalance), avg(bid) FROM accounts WHERE aid % 3 = 0"),
    ("group by", "SELECT bid, count(*), sum(abalance), min(aid), max(aid) FROM accounts WHERE abalance >= -1000 GROUP BY bid ORDER BY bid"),
    ("text filter", "SELECT count(*) FROM accounts WHERE filler LIKE 'x%' AND abalance BETWEEN -10 AND 10"),
]


def best(repeat: int, work):
    """The shortest of several runs in milliseconds, and the last answer."""
    times, answer = [], None
    for _ in range(repeat):
        began = time.monotonic()
        answer = work()
        times.append((time.monotonic() - began) * 1000)
    return min(times), answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=DEFAULT_BINARY, help="the isobar to run (default: target/release/isobar)")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the table")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each scan; the best counts")
    options = parser.parse_args()

    folder = pathlib.Path(tempfile.mkdtemp(prefix="isobar-speed-"))
    folder.chmod(0o755)
    node, postgres = Node(options.binary, folder), Postgres(folder / "postgres")
    same = True
    try:
        print(f"start to first answer, empty folder: {node.start() * 1000:.0f} ms", flush=True)
        postgres.start()
        node.query(SCHEMA)
        postgres.psql("-c", SCHEMA)
        for system, run in (("isobar", node.query), ("PostgreSQL", lambda sql: postgres.psql("-c", sql))):
            began = time.monotonic()
            for first in range(1, options.rows + 1, FILL_ROWS):
                run(FILL.format(first=first, last=min(first + FILL_ROWS - 1, options.rows)))
            print(f"{system} has {options.rows} rows after {time.monotonic() - began:.1f} s", flush=True)
        postgres.psql("-c", "VACUUM ANALYZE accounts")
        print(f"\n{'scan':<34} {'isobar':>10} {'PostgreSQL':>11} {'ratio':>7}")
        for name, sql in SCANS:
            ours, (_, our_rows) = best(options.repeat, lambda: node.query(sql))
            answers = [postgres.query(sql) for _ in range(options.repeat)]
            theirs, their_rows = min(answer[2] for answer in answers), answers[0][1]
            same = same and our_rows == their_rows
            print(f"{name:<34} {ours:>7.1f} ms {theirs:>8.1f} ms {ours / theirs:>6.2f}x{'' if our_rows == their_rows else '  WRONG'}", flush=True)
        node.stop()
        size = sum(file.stat().st_size for file in (folder / "data").rglob("*") if file.is_file())
        print(f"\nstart to first answer, {size / 2**20:.0f} MiB folder: {node.start() * 1000:.0f} ms after a stop, ", end="")
        node.query("UPDATE accounts SET abalance = abalance + 1 WHERE aid = 1")
        node.kill()
        print(f"{node.start() * 1000:.0f} ms after kill -9")
    finally:
        if (postgres.folder / "data" / "postmaster.pid").exists():
            postgres.stop()
        node.stop()
        shutil.rmtree(folder)
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
