#!/usr/bin/env python3
"""Three regions, one database: forms a cluster over lines as long as real distances, loads the flights in one region,
asks for them in all three at once, runs a bank at all three, kills the region that leads and brings it back.

    demo/run.sh [--binary PATH] [--places america|world] [--rows N] [--seconds 12] [--clients 4] [--seed N]

Prints what happened, with figures, and exits with 1 when anything is not as it must be.
"""

import argparse
import pathlib
import re
import shutil
import signal
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "flights")]

from bank import Bank  # noqa: E402
from cluster import Cluster  # noqa: E402
from fetch import DEFAULT_FOLDER, FILES, fetch  # noqa: E402
from node import DEFAULT_BINARY  # noqa: E402

# Round trips between data centres, in milliseconds, about as clouds measure them.
PLACES = {
    "america": {("oregon", "california"): 20.0, ("oregon", "ohio"): 50.0, ("california", "ohio"): 50.0},
    "world": {("oregon", "frankfurt"): 142.0, ("oregon", "tokyo"): 97.0, ("frankfurt", "tokyo"): 225.0},
}
# host/replica: a follower that has heard nothing for so long, or up to twice as long, stands for election.
ELECTION_SECONDS = 1.5
# Questions of the flights demonstration that are asked here.
QUESTIONS = [1, 2, 3, 4, 5, 6, 10, 11, 16, 22, 24, 28]


def say(text: str = "") -> None:
    print(text, flush=True)


def chapter(title: str) -> None:
    say(f"\n{title}\n{'-' * len(title)}")


def questions():
    """(number, statement) of the questions that are asked."""
    text = (HERE.parent / "flights" / "questions.sql").read_text()
    parts = re.split(r"^-- (\d+)\. .+$", text, flags=re.MULTILINE)[1:]
    found = [(int(number), sql.strip().removesuffix(";")) for number, sql in zip(parts[0::2], parts[1::2])]
    return [(number, sql) for number, sql in found if number in QUESTIONS]


def load(cluster: Cluster, region: str, rows) -> None:
    """Loads the flights in one region."""
    fetch(DEFAULT_FOLDER)
    url = cluster.nodes[region].url
    cluster.isobar("sql", "--url", url, "-f", HERE.parent / "flights" / "schema.sql")
    began = time.monotonic()
    for name in FILES:
        # Line 1 is the header.
        some = ["--to-line", str(rows + 1)] if rows and name == "flights" else []
        cluster.isobar("load", "--url", url, "--table", name, "--null", "NA", *some, DEFAULT_FOLDER / f"{name}.csv")
    seconds = time.monotonic() - began
    _, [[count]] = cluster.nodes[region].query("SELECT count(*) FROM flights")
    say(f"{int(count):,} flights, and their airlines, airports, planes and weather, loaded in {region} in {seconds:.1f} s: "
        f"{int(count) / seconds:,.0f} flights a second, each on the disks of at least two regions.")


def ask(cluster: Cluster):
    """Asks every question in all regions at once; complaints."""
    answers, times, complaints = {}, {}, []
    before = cluster.members()

    def ask_all(region):
        began = time.monotonic()
        try:
            answers[region] = [cluster.nodes[region].query(sql) for _, sql in questions()]
        except (OSError, RuntimeError, ValueError) as error:
            complaints.append(f"{region} could not answer: {error}")
        times[region] = time.monotonic() - began

    threads = [threading.Thread(target=ask_all, args=(region,), daemon=True) for region in cluster.regions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    after = cluster.members()
    first = answers.get(cluster.regions[0])
    for region in cluster.regions:
        if region in answers and answers[region] != first:
            different = [number for (number, _), ours, theirs in zip(questions(), answers[region], first or [])
                         if ours != theirs]
            complaints.append(f"{region} answers questions {different} otherwise than {cluster.regions[0]}")
    if not complaints:
        rows = sum(len(rows) for _, rows in first)
        say(f"{len(first)} questions, asked in three regions at once: {rows} rows, the same in all three.")
    for region in cluster.regions:
        asked = after[region]["remote_reads"] - before[region]["remote_reads"]
        say(f"  {region:<10} {times[region]:5.1f} s, {asked} reads had to ask another region")
    return complaints


def fall_and_return(cluster: Cluster, bank: Bank, victim: str, seconds: float):
    """Kills a region while the bank works, and brings it back; the moments of the story."""
    moments = {"opened": time.monotonic()}
    time.sleep(seconds)
    before = cluster.members()
    made = bank.acknowledged()
    moments["killed"] = time.monotonic()
    cluster.nodes[victim].kill()
    say(f"{seconds:5.1f} s  kill -9 in {victim}, which leads; {made} transfers have been acknowledged.")
    time.sleep(seconds)
    say(f"{time.monotonic() - moments['opened']:5.1f} s  {cluster.leader()} leads now, {victim} comes back.")
    last = cluster.status()["last_index"]
    absent = {"entries": last - (before[victim]["applied_index"] or 0),
              "transfers": bank.acknowledged() - made}
    moments["returned"] = time.monotonic()
    ready = cluster.nodes[victim].start()
    cluster.recover(victim, last)
    moments["recovered"] = time.monotonic()
    away = moments["returned"] - moments["killed"]
    took = moments["recovered"] - moments["returned"]
    say(f"{moments['recovered'] - moments['opened']:5.1f} s  {victim} has all {absent['entries']} journal entries "
        f"({absent['transfers']} transfers) of the {away:.1f} s that it was away:\n"
        f"         ready after {ready:.2f} s, all of it read locally after {took:.2f} s, {took / away:.2f} of the time away.")
    time.sleep(seconds)
    moments["closed"] = time.monotonic()
    return moments


def tell(cluster: Cluster, bank: Bank, victim: str, moments) -> None:
    """The figures by region and time."""
    say(f"\n{'':<12}{'':<9}{'commits':>8}{'a second':>9}   {'commit p50':>10}{'p99':>9}   {'read p50':>9}{'p99':>9}")
    times = {"before": ("opened", "killed"), "without": ("killed", "returned"), "after": ("recovered", "closed")}
    for region in cluster.regions:
        for name, (began, ended) in times.items():
            figures = bank.figures(region, moments[began], moments[ended])
            say(f"{region if name == 'before' else '':<12}{name:<9}{figures['commits']:>8}"
                f"{figures['commits_per_second']:>9.0f}   {figures['commit_p50']:>7.1f} ms{figures['commit_p99']:>6.0f} ms   "
                f"{figures['read_p50']:>6.1f} ms{figures['read_p99']:>6.0f} ms")
    say(f"(as the clients of each region saw it; those of {victim} went to other regions while it was gone)\n")
    pause = bank.pause(moments["killed"], moments["returned"])
    say(f"Writes paused for {pause:.2f} s when {victim} was killed: {pause / ELECTION_SECONDS:.1f} election timeouts. Seen from each region:")
    say("  " + ", ".join(f"{region} {bank.pause(moments['killed'], moments['returned'], region):.2f} s" for region in cluster.regions))


def conflicts(cluster: Cluster, bank: Bank, retried) -> None:
    count = bank.count
    say(f"{bank.acknowledged()} transfers acknowledged: {count('batches')} batches, {count('interactive')} interactive transactions.")
    say(f"{sum(retried.values())} conflicts were tried again by the nodes ("
        + ", ".join(f"{region} {number}" for region, number in retried.items())
        + f"), {count('conflicts')} by the clients.")
    lost = ", ".join(f"{count(f'lost, found {status}')} {status}" for status in ("committed", "refused", "unknown"))
    say(f"{count('connections lost')} answers were lost; asked for afterwards: {lost}. "
        f"{count('refused without a majority')} transfers were refused while nobody led, "
        f"{count('transactions gone')} transactions went down with their node.")
    say(f"The longest that any client waited for its transfer: {max(ledger.longest_wait for ledger in bank.ledgers.values()):.2f} s.")


def counter(node, name: str) -> int:
    """One of a node's counters."""
    _, _, body = node.request("GET", "/metrics")
    return int(re.search(rf"^{name} (\d+)$", body.decode(), re.MULTILINE).group(1))


class Retries:
    """How often each node ran a transaction again; a node forgets it when it is killed, so it is asked all the time."""

    def __init__(self, cluster: Cluster):
        self.cluster = cluster
        self.past = {region: 0 for region in cluster.regions}
        self.now = dict(self.past)
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self):
        while True:
            for region, node in self.cluster.nodes.items():
                try:
                    found = counter(node, "isobar_conflict_retries_total")
                except (OSError, AttributeError, ValueError):
                    continue
                if found < self.now[region]:
                    self.past[region] += self.now[region]
                self.now[region] = found
            time.sleep(0.2)

    def counts(self):
        return {region: self.past[region] + self.now[region] for region in self.cluster.regions}


def story(cluster: Cluster, options):
    """All of it; complaints."""
    chapter("A cluster of three regions")
    for (one, other), milliseconds in cluster.round_trips.items():
        say(f"  {one} - {other}: {milliseconds:.0f} ms there and back")
    say(f"formed in {cluster.form():.1f} s")
    leader = cluster.regions[0]
    cluster.lead(leader)
    say("\n" + cluster.isobar("cluster", "status", "--url", cluster.nodes[leader].url).strip())

    chapter("The flights of 2013, loaded in one region, asked for in all")
    load(cluster, cluster.regions[1], options.rows)
    cluster.settle()
    complaints = ask(cluster)

    chapter(f"A bank at all three regions: {options.accounts} accounts, {options.clients} clients in each region")
    cluster.lead(leader)
    bank, retries = Bank(cluster, options.accounts, options.clients, options.seed), Retries(cluster)
    bank.open(leader)
    moments = fall_and_return(cluster, bank, leader, options.seconds)
    bank.close()
    cluster.settle()
    tell(cluster, bank, leader, moments)

    chapter("The account")
    time.sleep(0.5)
    conflicts(cluster, bank, retries.counts())
    complaints += bank.verify()
    _, [[total]] = cluster.nodes[cluster.regions[-1]].query("SELECT sum(balance) FROM account")
    if not complaints:
        say(f"The accounts hold {total}, as they did at the beginning and at all {bank.count('audits')} audits in between. In every region "
            f"every acknowledged\ntransfer is there exactly once, and none that was refused.")
    return complaints


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=DEFAULT_BINARY, help="the isobar to run (default: target/release/isobar)")
    parser.add_argument("--places", choices=PLACES, default="america", help="how far the regions are from each other")
    parser.add_argument("--rows", type=int, help="load only so many flights")
    parser.add_argument("--seconds", type=float, default=12, help="of each: before, without the region, and after")
    parser.add_argument("--clients", type=int, default=4, help="in each region")
    parser.add_argument("--accounts", type=int, default=100)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # A shell that starts this in the background has it ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    began = time.monotonic()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="isobar-regions-"))
    cluster, done = None, False
    try:
        cluster = Cluster(options.binary, folder, PLACES[options.places])
        complaints = story(cluster, options)
        done = True
    except KeyboardInterrupt:
        say("\nstopped")
        sys.exit(130)
    except RuntimeError as error:
        complaints = [str(error)]
    finally:
        if cluster is not None:
            cluster.stop(at_once=not done)
        shutil.rmtree(folder, ignore_errors=True)
    say()
    for complaint in complaints[:20]:
        say(f"WRONG: {complaint}")
    say(f"{'all is well' if not complaints else f'{len(complaints)} complaints'}, after {time.monotonic() - began:.0f} s")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
