"""The bank at three regions: clients and readers in each, and what they saw before, while and after a region was gone."""

import pathlib
import random
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "bank")]

from cluster import percentile  # noqa: E402
from transfers import OPENING_BALANCE, SCHEMA, Client, Ledger, Lost, Refused, audit, make_transfer, verify  # noqa: E402

# How long a client waits for an answer before it asks another region: longer than any election.
ANSWER_SECONDS = 10
# Pause between two reads of a reader.
READ_PAUSE = 0.02


class Bank:
    """Accounts, and clients in every region that move money between them until they are told to stop."""

    def __init__(self, cluster, accounts: int, clients: int, seed: int):
        """`clients`: of each region."""
        self.cluster, self.accounts, self.clients, self.seed = cluster, accounts, clients, seed
        self.total = accounts * OPENING_BALANCE
        self.ledgers = {region: Ledger() for region in cluster.regions}
        # (moment, seconds) of each read, by the region of the reader.
        self.reads = {region: [] for region in cluster.regions}
        self.until = float("inf")
        self.threads = []

    def open(self, region: str) -> None:
        """Makes the tables, in one region, and starts the clients of all."""
        for statement in SCHEMA:
            self.cluster.nodes[region].query(statement)
        self.cluster.nodes[region].query(
            f"INSERT INTO account SELECT g, {OPENING_BALANCE} FROM generate_series(1, {self.accounts}) g")
        for home in self.cluster.regions:
            for number in range(self.clients):
                self.begin(self.transfer, home, number)
            self.begin(self.read, home)
            self.begin(self.audit, home)

    def begin(self, task, *arguments):
        # Daemons, so that Ctrl-C ends them with the demonstration.
        self.threads.append(threading.Thread(target=task, args=arguments, daemon=True))
        self.threads[-1].start()

    def client(self, home: str) -> Client:
        """A client that is at home in a region and goes to another while that is down."""
        others = [region for region in self.cluster.regions if region != home]
        random.shuffle(others)
        return Client(*(self.cluster.nodes[region] for region in [home, *others]), timeout=ANSWER_SECONDS)

    def transfer(self, home: str, number: int) -> None:
        client, ledger = self.client(home), self.ledgers[home]
        chance = random.Random(f"{self.seed} {home} {number}")
        while time.monotonic() < self.until:
            source, target = chance.sample(range(1, self.accounts + 1), 2)
            began = time.monotonic()
            try:
                make_transfer(client, ledger, chance.random() < 0.5, (source, target, chance.randint(1, 50)))
            except (Lost, Refused) as error:
                ledger.complain(f"client {number} of {home}: {error}")
                return
            with ledger.lock:
                ledger.longest_wait = max(ledger.longest_wait, time.monotonic() - began)

    def read(self, home: str) -> None:
        """Reads one account after the other, as the clients of this region do."""
        client, chance = self.client(home), random.Random(f"{self.seed} {home} reader")
        while time.monotonic() < self.until:
            client.go_home()
            query = {"query": "SELECT balance FROM account WHERE id = $1",
                     "params": [str(chance.randint(1, self.accounts))]}
            began = time.monotonic()
            try:
                client.request("POST", "/sql", query)
                self.reads[home].append((time.monotonic(), time.monotonic() - began))
            except Lost:
                self.ledgers[home].count("reads lost")
            except Refused as refusal:
                self.ledgers[home].count(f"reads refused with {refusal.code}")
            time.sleep(READ_PAUSE)

    def audit(self, home: str) -> None:
        # `until` may change while this runs.
        while time.monotonic() < self.until:
            audit(self.client(home), self.ledgers[home], self.total, min(self.until, time.monotonic() + 1))

    def close(self) -> None:
        """Lets every client finish what it has begun."""
        self.until = 0.0
        for thread in self.threads:
            thread.join(90)
            if thread.is_alive():
                raise RuntimeError("a client of the bank has not come to an end within 90 s")

    def verify(self):
        """Complaints about the final state as each region shows it, and about what the clients met."""
        whole = Ledger()
        for ledger in self.ledgers.values():
            whole.acknowledged |= ledger.acknowledged
            whole.refused |= ledger.refused
            whole.open |= ledger.open
            whole.errors += ledger.errors
        complaints = list(whole.errors)
        for region, node in self.cluster.nodes.items():
            complaints += [f"{region}: {text}" for text in verify(node, whole, self.accounts, self.total)]
        return complaints

    def count(self, what: str, region=None) -> int:
        return sum(ledger.counts[what] for home, ledger in self.ledgers.items() if region in (None, home))

    def acknowledged(self) -> int:
        return sum(len(ledger.acknowledged) for ledger in self.ledgers.values())

    def moments(self, region=None):
        """When transfers were acknowledged, in order."""
        return sorted(moment for home, ledger in self.ledgers.items() if region in (None, home)
                      for moment, _, _ in ledger.made)

    def pause(self, began: float, ended: float, region=None) -> float:
        """The longest time without an acknowledged transfer between two moments, in seconds."""
        moments = [began, *(moment for moment in self.moments(region) if began < moment < ended), ended]
        return max(later - earlier for earlier, later in zip(moments, moments[1:]))

    def figures(self, region: str, began: float, ended: float):
        """What the clients of a region saw between two moments, times in milliseconds."""
        commits = [seconds * 1000 for moment, _, seconds in self.ledgers[region].made if began <= moment < ended]
        reads = [seconds * 1000 for moment, seconds in self.reads[region] if began <= moment < ended]
        return {
            "commits": len(commits), "commits_per_second": len(commits) / (ended - began),
            "commit_p50": percentile(commits, 0.5), "commit_p99": percentile(commits, 0.99),
            "reads": len(reads), "read_p50": percentile(reads, 0.5), "read_p99": percentile(reads, 0.99),
        }
