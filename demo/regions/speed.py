#!/usr/bin/env python3
"""What distance costs: commits, reads, catching up and elections, measured against what they may cost.

    demo/regions/speed.py [--binary PATH] [--only commits,reads,throughput,return,election] [--commits 100000] [--json FILE]

Three regions, of which "leader" leads; the round trips between them are 20, 40 and 60 ms. Commits and reads are counted
in round trips as a client measures them on the same lines, just before. Prints a line for each limit with PASS or MISS,
and exits with 1 when one is missed.
"""

import argparse
import json
import os
import pathlib
import shutil
import socket
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from cluster import Cluster, percentile  # noqa: E402
from node import DEFAULT_BINARY, Node  # noqa: E402
from wire import Connection, Writers  # noqa: E402

LEADER, NEAR, FAR = "leader", "near", "far"
ROUND_TRIPS = {(LEADER, NEAR): 20.0, (LEADER, FAR): 40.0, (NEAR, FAR): 60.0}
NO_DISTANCE = {pair: 0.0 for pair in ROUND_TRIPS}
# What a commit may take beyond its round trips, and a read beyond a single node's, in milliseconds.
COMMIT_OVER, READ_OVER = 5.0, 1.0
# host/replica/src/options.rs
ELECTION_SECONDS = 1.5
READ = "SELECT payload FROM measured WHERE id = $1"
WRITE = "INSERT INTO written VALUES ($1, 'as long as a short line of text')"
ROWS = 1000


class Report:
    """The lines of the table."""

    def __init__(self):
        self.lines = []

    def add(self, what: str, value: float, limit, unit: str, note: str = "", at_least: bool = False) -> None:
        """`limit`: what the value may be at most (or at least); None for a figure that has none."""
        met = limit is None or (value >= limit if at_least else value <= limit)
        verdict = "" if limit is None else "PASS" if met else "MISS"
        bound = "" if limit is None else f"{'>=' if at_least else '<='} {limit:,.2f}"
        self.lines.append({"what": what, "value": value, "limit": limit, "unit": unit, "verdict": verdict, "note": note})
        print(f"{what:<58}{value:>11,.2f} {unit:<5}{bound:>12}  {verdict:<5} {note}", flush=True)


def tables(node: Node) -> None:
    node.query("CREATE TABLE measured (id int PRIMARY KEY, payload text NOT NULL)")
    node.query(f"INSERT INTO measured SELECT g, 'as long as a short line of text' FROM generate_series(1, {ROWS}) g")
    node.query("CREATE TABLE written (id int PRIMARY KEY, payload text NOT NULL)")


def echo_round_trip(cluster: Cluster, one: str, other: str) -> float:
    """The median of 40 round trips of a byte between two regions, in milliseconds."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def answer():
            accepted, _ = listener.accept()
            with accepted:
                while piece := accepted.recv(64):
                    accepted.sendall(piece)

        threading.Thread(target=answer, daemon=True).start()
        with socket.create_connection(("127.0.0.1", cluster.links.route(one, other, listener.getsockname()[1]))) as line:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            times = []
            for _ in range(40):
                began = time.perf_counter()
                line.sendall(b"x")
                line.recv(1)
                times.append((time.perf_counter() - began) * 1000)
    return percentile(times, 0.5)


def commits(cluster: Cluster, report: Report) -> None:
    """One client that commits at each region in turn."""
    trips = {region: echo_round_trip(cluster, LEADER, region) for region in (NEAR, FAR)}
    print(f"round trips as measured on the lines: {trips[NEAR]:.1f} and {trips[FAR]:.1f} ms from the leader")
    connections = {region: Connection(cluster.nodes[region].port) for region in cluster.regions}
    times = {region: [] for region in cluster.regions}
    number = 1_000_000
    for turn in range(65):
        for region, connection in connections.items():
            number += 1
            took = connection.ask(WRITE, number)
            if turn >= 5:
                times[region].append(took)
    # Whoever may read locally has to have a commit before it is acknowledged: the farthest of them decides.
    farthest = trips[FAR]
    for region in cluster.regions:
        home = 0.0 if region == LEADER else trips[region]
        middle = percentile(times[region], 0.5)
        what = "commit at the leader" if region == LEADER else f"commit at the {region} region, {home:.0f} ms from the leader"
        report.add(what, middle, farthest + home + COMMIT_OVER, "ms",
                   f"{middle / farthest:.2f} round trips of {farthest:.1f} ms to the farthest lease holder; "
                   f"{middle - farthest - home:+.1f} ms over {'it' if not home else 'that and one more to the leader'}; "
                   f"p99 {percentile(times[region], 0.99):.1f}")


def reads(cluster: Cluster, single: Node, report: Report) -> None:
    """Point reads in all regions and of a single node, in turn, in peace and beside writes."""
    nodes = {"single": single, **cluster.nodes}
    connections = {name: Connection(node.port) for name, node in nodes.items()}
    number = 2_000_000
    for name in ("in peace", "beside writes"):
        writers = None
        if name != "in peace":
            ports = [cluster.nodes[region].port for region in cluster.regions]
            writers = Writers(ports, 6, WRITE, seconds=8.0, first=number)
            time.sleep(1)
        for turn in range(100):
            for connection in connections.values():
                connection.ask(READ, turn + 1)
        before = cluster.members()
        times = {name: [] for name in nodes}
        began, turn = time.monotonic(), 0
        while turn < 600 and (writers is None or time.monotonic() - began < 5):
            for of, connection in connections.items():
                times[of].append(connection.ask(READ, turn % ROWS + 1))
            turn += 1
        after = cluster.members()
        if writers is not None:
            done, seconds, _ = writers.finish()
            print(f"beside {done / seconds:.0f} commits a second of 6 writers, two in each region")
        alone = percentile(times["single"], 0.5)
        for region in cluster.regions:
            middle = percentile(times[region], 0.5)
            remote = after[region]["remote_reads"] - before[region]["remote_reads"]
            report.add(f"read {name} at {region}, beyond a single node's", middle - alone, READ_OVER, "ms",
                       f"{middle:.2f} and {alone:.2f} ms; p99 {percentile(times[region], 0.99):.1f} and "
                       f"{percentile(times['single'], 0.99):.1f}")
            report.add(f"  of {turn} reads there, asked of another region", remote, 0 if writers is None else None, "")


def processor_seconds(nodes) -> float:
    """What the nodes' processes have used so far."""
    ticks = 0
    for node in nodes:
        fields = pathlib.Path(f"/proc/{node.process.pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def throughput(cluster: Cluster, single: Node, report: Report) -> None:
    """32 writers at a single node, at the node that leads, and at all three; in turn, the best of two."""
    number, rates, costs = 3_000_000, {}, {}
    ports = {"single": [single.port], LEADER: [cluster.nodes[LEADER].port],
             "all": [node.port for node in cluster.nodes.values()]}
    for _ in range(2):
        for name, ways in ports.items():
            nodes = [single] if name == "single" else list(cluster.nodes.values())
            used = processor_seconds(nodes)
            done, seconds, _ = Writers(ways, 32, WRITE, seconds=5.0, first=number).finish()
            rates[name] = max(rates.get(name, 0), done / seconds)
            costs[name] = (processor_seconds(nodes) - used) / done * 1e6
            number += 200_000
    for name, what in (("single", "single node, 32 writers"), (LEADER, "three nodes, 32 writers at the leader"),
                       ("all", "three nodes, 32 writers at all three")):
        report.add(f"commits a second, {what}", rates[name], None, "/s",
                   f"{costs[name]:.0f} us of processor time a commit, of all nodes together, on {os.cpu_count()} processors")
    for name, where in ((LEADER, "at the leader"), ("all", "at all three")):
        report.add(f"three nodes' commits, writers {where}, of the single node's", rates[name] / rates["single"],
                   0.5, "x", at_least=True)


def comes_back(cluster: Cluster, report: Report, count: int) -> None:
    """A follower that was away for many commits."""
    cluster.lead(LEADER)
    cluster.nodes[FAR].stop()
    began = time.monotonic()
    ports = [cluster.nodes[LEADER].port, cluster.nodes[NEAR].port]
    done, seconds, _ = Writers(ports, 64, WRITE, count=count, first=10_000_000).finish()
    last = cluster.status()["last_index"]
    away = time.monotonic() - began
    returned = time.monotonic()
    ready = cluster.nodes[FAR].start()
    cluster.recover(FAR, last, 300)
    took = time.monotonic() - returned
    report.add(f"back after {done:,} commits, of the time away", took / away, 0.1, "x",
               f"{took:.1f} s of {away:.1f} s ({done / seconds:,.0f} commits a second meanwhile); ready after {ready:.1f} s")
    _, [[counted]] = cluster.nodes[FAR].query("SELECT count(*) FROM written WHERE id >= 10000000")
    report.add("  of the commits missing there", done - int(counted), 0, "")


def election(cluster: Cluster, report: Report, times: int = 3) -> None:
    """kill -9 of the node that leads, while clients of both others write."""
    for turn in range(times):
        cluster.lead(LEADER)
        ports = [cluster.nodes[NEAR].port, cluster.nodes[FAR].port]
        writers = Writers(ports, 8, WRITE, seconds=8.0, first=20_000_000 + turn * 100_000)
        time.sleep(1.5)
        killed = time.monotonic()
        cluster.nodes[LEADER].kill()
        _, _, moments = writers.finish()
        cluster.nodes[LEADER].start()
        cluster.settle()
        before = [moment for moment in moments if moment <= killed + 0.1]
        after = [moment for moment in moments if moment > killed + 0.1]
        if not before or not after:
            raise RuntimeError("no writes before or none after the node that led was killed")
        pause = min(after) - max(before)
        report.add(f"leader killed, writes pause ({turn + 1} of {times})", pause / ELECTION_SECONDS, 2.0, "x",
                   f"{pause:.2f} s, an election timeout is {ELECTION_SECONDS} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=DEFAULT_BINARY, help="the isobar to run (default: target/release/isobar)")
    parser.add_argument("--only", default="commits,reads,election,throughput,return", help="what to measure")
    parser.add_argument("--commits", type=int, default=100_000, help="that the follower misses")
    parser.add_argument("--json", type=pathlib.Path, help="write the table to this file, too")
    options = parser.parse_args()
    wanted = set(options.only.split(","))

    folder = pathlib.Path(tempfile.mkdtemp(prefix="isobar-regions-speed-"))
    report, started = Report(), []
    done = False
    try:
        (folder / "single").mkdir()
        single = Node(options.binary, folder / "single")
        started.append(single)
        single.start()
        tables(single)
        for name, round_trips, parts in (("far", ROUND_TRIPS, {"commits", "reads", "election"}),
                                         ("here", NO_DISTANCE, {"throughput", "return"})):
            parts &= wanted
            if not parts:
                continue
            (folder / name).mkdir()
            cluster = Cluster(options.binary, folder / name, round_trips)
            started.append(cluster)
            cluster.form()
            cluster.lead(LEADER)
            tables(cluster.nodes[LEADER])
            if "commits" in parts:
                commits(cluster, report)
            if "reads" in parts:
                reads(cluster, single, report)
            if "election" in parts:
                election(cluster, report)
            if "throughput" in parts:
                throughput(cluster, single, report)
            if "return" in parts:
                comes_back(cluster, report, options.commits)
            cluster.stop()
            started.remove(cluster)
        done = True
    finally:
        for each in started:
            each.stop()
        if done:
            shutil.rmtree(folder)
        else:
            print(f"the nodes' logs are in {folder}")
    if options.json:
        options.json.write_text(json.dumps(report.lines, indent=2) + "\n")
    missed = sum(line["verdict"] == "MISS" for line in report.lines)
    print("every limit is kept" if not missed else f"{missed} limits are missed")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
