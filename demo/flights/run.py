#!/usr/bin/env python3
"""Loads the flights of 2013 into a node and into PostgreSQL 15, asks both the questions of questions.sql, and compares
every row as text.

    demo/flights/run.py [--binary PATH] [--only 3,9] [--repeat N] [--keep]

Prints one line per question with both times (the best of N runs each, one connection, PostgreSQL without parallel
workers) and exits with 1 unless every answer is the same.
"""

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from fetch import DEFAULT_FOLDER, FILES, fetch  # noqa: E402
from node import DEFAULT_BINARY, Node  # noqa: E402
from postgres import Postgres  # noqa: E402

def questions():
    """(number, title, statement) of every question."""
    text = (HERE / "questions.sql").read_text()
    parts = re.split(r"^-- (\d+)\. (.+)$", text, flags=re.MULTILINE)[1:]
    return [(int(n), title, sql.strip().removesuffix(";")) for n, title, sql in zip(parts[0::3], parts[1::3], parts[2::3])]


def load_postgres(postgres: Postgres, data: pathlib.Path) -> float:
    postgres.psql("-f", HERE / "schema.sql")
    began = time.monotonic()
    for name in FILES:
        with open(data / f"{name}.csv", encoding="utf-8") as file:
            columns = file.readline().strip()
            file.seek(0)
            postgres.psql("-c", f"COPY {name} ({columns}) FROM STDIN WITH (FORMAT csv, HEADER, NULL 'NA')", stdin=file)
    seconds = time.monotonic() - began
    postgres.psql("-c", "VACUUM ANALYZE")
    return seconds


def load_isobar(node: Node, data: pathlib.Path) -> float:
    subprocess.run([node.binary, "sql", "--url", node.url, "-f", HERE / "schema.sql"], check=True, stdout=subprocess.DEVNULL)
    began = time.monotonic()
    for name in FILES:
        command = [node.binary, "load", "--url", node.url, "--table", name, "--null", "NA", data / f"{name}.csv"]
        subprocess.run(command, check=True)
    return time.monotonic() - began


def ask_isobar(node: Node, sql: str):
    began = time.monotonic()
    names, rows = node.query(sql)
    return names, rows, (time.monotonic() - began) * 1000


def difference(ours, theirs) -> str:
    """The first place where two answers part, or the empty text."""
    if ours[0] != theirs[0]:
        return f"columns {ours[0]}, PostgreSQL {theirs[0]}"
    for number, (a, b) in enumerate(zip(ours[1], theirs[1]), 1):
        if a != b:
            return f"row {number}: {json.dumps(a)}\n{'':8}PostgreSQL: {json.dumps(b)}"
    if len(ours[1]) != len(theirs[1]):
        return f"{len(ours[1])} rows, PostgreSQL {len(theirs[1])}"
    return ""


def compare(node: Node, postgres: Postgres, only, repeat: int) -> bool:
    good, times = True, []
    print(f"\n{'':>3} {'question':<64} {'rows':>5} {'isobar':>10} {'PostgreSQL':>10} {'ratio':>6}")
    for number, title, sql in questions():
        if only and number not in only:
            continue
        theirs = min((postgres.query(sql) for _ in range(repeat)), key=lambda answer: answer[2])
        try:
            ours = min((ask_isobar(node, sql) for _ in range(repeat)), key=lambda answer: answer[2])
            wrong = difference(ours, theirs)
        except (RuntimeError, OSError, ValueError) as error:
            ours, wrong = ([], [], float("nan")), str(error)
        ratio = ours[2] / theirs[2]
        print(f"{number:>3} {title[:64]:<64} {len(theirs[1]):>5} {ours[2]:>7.1f} ms {theirs[2]:>7.1f} ms {ratio:>5.2f}x"
              f"{'' if not wrong else '  WRONG'}", flush=True)
        if wrong:
            good = False
            print(f"{'':8}{wrong}", flush=True)
        else:
            times.append((ours[2], theirs[2]))
    if times:
        ours, theirs = (sum(column) for column in zip(*times))
        print(f"{'':>3} {'all that agree':<64} {len(times):>5} {ours:>7.0f} ms {theirs:>7.0f} ms {ours / theirs:>5.2f}x")
    return good


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=DEFAULT_BINARY, help="the isobar to run (default: target/release/isobar)")
    parser.add_argument("--only", default="", help="numbers of questions, with commas")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each question; the best counts")
    parser.add_argument("--keep", action="store_true", help="leave the node running and its folder in place")
    options = parser.parse_args()
    only = {int(number) for number in options.only.split(",") if number}

    fetch(DEFAULT_FOLDER)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="isobar-flights-"))
    folder.chmod(0o755)
    node, postgres = Node(options.binary, folder), Postgres(folder / "postgres")
    good = False
    try:
        print(f"node ready after {node.start() * 1000:.0f} ms at {node.url}", flush=True)
        postgres.start()
        theirs = load_postgres(postgres, DEFAULT_FOLDER)
        ours = load_isobar(node, DEFAULT_FOLDER)
        print(f"loaded in {ours:.1f} s, PostgreSQL in {theirs:.1f} s")
        good = compare(node, postgres, only, options.repeat)
        print("every answer is PostgreSQL's" if good else "NOT every answer is PostgreSQL's")
    finally:
        if (postgres.folder / "data" / "postmaster.pid").exists():
            postgres.stop()
        if options.keep:
            print(f"the node runs on at {node.url} (process {node.process.pid}, folder {folder})")
        else:
            node.stop()
            shutil.rmtree(folder)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
