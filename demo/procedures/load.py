"""Clients transfer through the procedure while its versions are deployed and rolled back under them."""

import collections
import http.client
import json
import random
import statistics
import threading
import time

from node import Node
from stage import Story, one

RAW = {"Neon-Raw-Text-Output": "true", "Neon-Array-Mode": "true"}
TRANSFER = "SELECT transfer FROM transfer($1, $2, $3)"
# Between two deploys, in seconds.
PAUSE = 0.3
# Of so many changes of version, one goes back.
ROLLBACK_EVERY = 4


class Refused(Exception):
    def __init__(self, answer):
        super().__init__(f"{answer.get('code')}: {answer.get('message')}")
        self.code, self.message = answer.get("code"), answer.get("message", "")


class Client:
    """One connection, kept."""

    def __init__(self, node: Node):
        self.connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=60)

    def request(self, method, path, body, headers=RAW):
        raw = body if isinstance(body, bytes) else json.dumps(body)
        self.connection.request(method, path, raw, headers)
        response = self.connection.getresponse()
        answer = json.loads(response.read())
        if response.status >= 400:
            raise Refused(answer)
        return answer

    def single(self, moves):
        """One statement each, which the node runs again by itself when it meets a conflict."""
        return [self.request("POST", "/sql", {"query": TRANSFER, "params": move})["rows"][0][0] for move in moves]

    def batch(self, moves):
        queries = [{"query": TRANSFER, "params": move} for move in moves]
        return [result["rows"][0][0] for result in self.request("POST", "/sql", {"queries": queries})["results"]]

    def interactive(self, moves):
        """All in one transaction, request by request; a conflict is this client's to meet."""
        path = f"/v1/transactions/{self.request('POST', '/v1/transactions', {})['id']}"
        try:
            made = [self.request("POST", f"{path}/sql", {"query": TRANSFER, "params": move})["rows"][0][0] for move in moves]
            self.request("POST", f"{path}/commit", b"")
        except Refused as refusal:
            if refusal.code != "40001":
                self.request("POST", f"{path}/rollback", b"")
            raise
        return made


class Record:
    """What all threads have seen, under one lock."""

    def __init__(self):
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.acknowledged = {}
        self.times = []
        self.deploys = []
        self.errors = []

    def count(self, what):
        with self.lock:
            self.counts[what] += 1

    def complain(self, text):
        with self.lock:
            self.errors.append(text)


def transfer_under_redeploys(node: Node, story: Story, options, total: str):
    story.tell(f"\n{options.clients} clients transfer for {options.seconds:.0f} s, while ledger is deployed again and again")
    record = Record()
    until = time.monotonic() + options.seconds
    module = (options.components / "ledger.wasm").read_bytes()
    threads = [threading.Thread(target=guarded, args=(record, work, node, record, options, number, until))
               for number in range(options.clients)]
    threads.append(threading.Thread(target=guarded, args=(record, audit, node, record, total, until)))
    threads.append(threading.Thread(target=guarded, args=(record, redeploy, node, record, module, until)))
    before = int(one(node, "SELECT count(*) FROM transfer"))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tell_figures(story, record, options)
    for error in record.errors:
        story.complain(error)
    verify(node, story, record, before, total)


def guarded(record: Record, run, *arguments):
    began = time.monotonic()
    try:
        run(*arguments)
    except (Refused, OSError, http.client.HTTPException, ValueError, KeyError, IndexError) as error:
        record.complain(f"{run.__name__}, after {time.monotonic() - began:.1f} s: {type(error).__name__}: {error}")


def work(node: Node, record: Record, options, number: int, until: float):
    client, chance = Client(node), random.Random(options.seed * 1000 + number)
    while time.monotonic() < until:
        kind = chance.choice(["single", "batch", "interactive"])
        moves = []
        for _ in range(1 if kind == "single" else 2):
            source, target = chance.sample(range(1, options.accounts + 1), 2)
            moves.append([f"account {source}", f"account {target}", f"{chance.randint(1, 20_000) / 100:.2f}"])
        attempt(client, record, kind, moves)


def attempt(client: Client, record: Record, kind: str, moves):
    """Tries until it is made or refused for lack of money. Anything else is a failure."""
    while True:
        began = time.monotonic()
        try:
            made = getattr(client, kind)(moves)
        except Refused as refusal:
            if refusal.code == "LD001":
                return record.count("refused for lack of money")
            if refusal.code == "40001" and "OC000" in refusal.message:
                record.count(f"conflicts met by clients, {kind}")
                time.sleep(random.uniform(0, 0.01))
                continue
            return record.complain(f"a call failed: {refusal}")
        with record.lock:
            record.times.append(time.monotonic() - began)
            record.counts[kind] += 1
            record.acknowledged.update(zip(made, moves))
        return


def audit(node: Node, record: Record, total: str, until: float):
    """The procedure itself adds up the books the whole time: in every snapshot they balance."""
    client = Client(node)
    while time.monotonic() < until:
        found = client.request("POST", "/sql", {"query": "SELECT check_total()", "params": []})["rows"][0][0]
        record.count("audits")
        if found != total:
            record.complain(f"an audit found {found} instead of {total}")
        time.sleep(0.1)


def redeploy(node: Node, record: Record, module: bytes, until: float):
    """Every version is the same program under another digest."""
    client, number = Client(node), 0
    while time.monotonic() < until:
        number += 1
        began = time.monotonic()
        if number % ROLLBACK_EVERY == 0:
            client.request("POST", "/v1/procedures/ledger/rollback", b"", {})
            record.count("rollbacks")
        else:
            client.request("POST", "/v1/procedures/ledger", module + custom_section(f"edition {number}"), {})
            record.deploys.append(time.monotonic() - began)
        time.sleep(PAUSE)


def custom_section(text: str) -> bytes:
    """A section that changes a module's bytes and nothing else."""
    name, content = b"edition", text.encode()
    body = bytes([len(name)]) + name + content
    return bytes([0, len(body)]) + body


def tell_figures(story: Story, record: Record, options):
    counts, times = record.counts, sorted(record.times)
    made = len(record.acknowledged)
    if times:
        story.tell(f"  {made} transfers, {made / options.seconds:.0f} a second; median {1000 * statistics.median(times):.1f} ms, "
                   f"99th percentile {1000 * times[int(len(times) * 0.99)]:.1f} ms")
    story.tell("  " + ", ".join(f"{counts[kind]} {name}" for kind, name in [
        ("single", "single statements"), ("batch", "batches of two"), ("interactive", "interactive transactions of two")]))
    for what in sorted(counts):
        if what not in ("single", "batch", "interactive"):
            story.tell(f"  {counts[what]} {what}")
    if record.deploys:
        story.tell(f"  {len(record.deploys)} deploys, median {1000 * statistics.median(record.deploys):.0f} ms, "
                   f"longest {1000 * max(record.deploys):.0f} ms")


def verify(node: Node, story: Story, record: Record, before: int, total: str):
    story.expect("calls that failed", len(record.errors), 0)
    story.expect("versions were switched under load at least 10 times", len(record.deploys) + record.counts["rollbacks"] >= 10, True)
    story.expect("the total", one(node, "SELECT check_total()"), total)
    _, rows = node.query("SELECT t.id, s.account, r.account, t.amount FROM transfer t "
                         "JOIN entry s ON s.transfer = t.id AND s.amount < 0 JOIN entry r ON r.transfer = t.id AND r.amount > 0")
    noted = {row[0]: row[1:] for row in rows}
    wrong = [name for name, move in record.acknowledged.items() if noted.get(name) != move]
    story.expect("acknowledged transfers that are missing or different", wrong[:3], [])
    story.expect("transfers that nobody was told of", len(noted) - before - len(record.acknowledged), 0)
