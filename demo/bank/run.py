#!/usr/bin/env python3
"""A bank: clients move money between accounts over HTTP while the node is killed and started again.

    demo/bank/run.py [--binary PATH] [--seconds 60] [--clients 16] [--accounts 100] [--kills 5] [--seed N]

Half of the transfers are atomic batches under an Idempotency-Key, half are interactive transactions. Whoever loses a
conflict (40001) tries again; whoever loses the connection asks GET /v1/commits/{ulid} what became of the transfer.
Auditors add up all balances the whole time. At the end every transfer that was acknowledged must be there exactly
once, none that was refused may be, and the money must be what it was. Exits with 1 otherwise.
"""

import argparse
import collections
import http.client
import json
import os
import pathlib
import random
import shutil
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from node import DEFAULT_BINARY, Node  # noqa: E402

OPENING_BALANCE = 1000
RAW = {"Neon-Raw-Text-Output": "true", "Neon-Array-Mode": "true"}

SCHEMA = [
    "CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0))",
    """CREATE TABLE transfer (
           id text PRIMARY KEY, source int NOT NULL, target int NOT NULL, amount bigint NOT NULL CHECK (amount > 0),
           made timestamptz NOT NULL DEFAULT now())""",
]
TAKE = "UPDATE account SET balance = balance - $2 WHERE id = $1"
GIVE = "UPDATE account SET balance = balance + $2 WHERE id = $1"
NOTE = "INSERT INTO transfer (id, source, target, amount) VALUES ($1, $2, $3, $4)"


def ulid() -> str:
    """48 bits of milliseconds and 80 random ones, in Crockford's base 32."""
    value = (int(time.time() * 1000) << 80) | int.from_bytes(os.urandom(10), "big")
    return "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[(value >> shift) & 31] for shift in range(125, -1, -5))


class Refused(Exception):
    """The node answered with an error: the transfer did not happen."""

    def __init__(self, answer):
        super().__init__(f"{answer.get('code')}: {answer.get('message')}")
        self.code = answer.get("code")


class Lost(Exception):
    """The connection broke: what became of the request is not known."""


class Ledger:
    """What the clients know, under one lock."""

    def __init__(self):
        self.lock = threading.Lock()
        self.acknowledged = {}
        self.refused = set()
        self.counts = collections.Counter()
        self.longest_wait = 0.0
        self.errors = []

    def count(self, what, by=1):
        with self.lock:
            self.counts[what] += by

    def complain(self, text):
        with self.lock:
            self.errors.append(text)


class Client:
    """One client with a connection that it opens again when it breaks."""

    def __init__(self, node: Node):
        self.node = node
        self.connection = None

    def request(self, method, path, body=None, headers=None):
        """The parsed answer of one request; Refused or Lost."""
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.node.port, timeout=30)
            self.connection.request(method, path, None if body is None else json.dumps(body), {**RAW, **(headers or {})})
            response = self.connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            if self.connection is not None:
                self.connection.close()
                self.connection = None
            raise Lost(str(error)) from error
        if response.status >= 400 and "code" in answer:
            raise Refused(answer)
        return answer

    def outcome(self, identifier, deadline):
        """`committed`, `refused` or `unknown`, as soon as a node is there to say it."""
        while time.monotonic() < deadline:
            try:
                return self.request("GET", f"/v1/commits/{identifier}")["status"]
            except Lost:
                time.sleep(0.02)
        raise Lost("no node came back to ask")

    def batch(self, identifier, source, target, amount):
        """One atomic batch, which the node itself retries when it meets a conflict."""
        queries = [
            {"query": TAKE, "params": [str(source), str(amount)]},
            {"query": GIVE, "params": [str(target), str(amount)]},
            {"query": NOTE, "params": [identifier, str(source), str(target), str(amount)]},
        ]
        self.request("POST", "/sql", {"queries": queries}, {"Idempotency-Key": identifier})

    def interactive(self, identifier, source, target, amount):
        """Statement by statement, in a transaction whose id is that of its commit."""
        path = f"/v1/transactions/{identifier}"
        ask = lambda sql, *parameters: self.request("POST", f"{path}/sql", {"query": sql, "params": [str(p) for p in parameters]})
        ask(TAKE, source, amount)
        ask(GIVE, target, amount)
        ask(NOTE, identifier, source, target, amount)
        self.request("POST", f"{path}/commit", {})


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


def make_transfer(client, ledger, interactive, transfer):
    """Tries until the transfer is made or refused for good."""
    while True:
        deadline = time.monotonic() + 60
        if interactive:
            try:
                identifier = client.request("POST", "/v1/transactions", {"isolation": "repeatable-read"})["id"]
            except Lost:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
                continue
        else:
            identifier = ulid()
        try:
            send = client.interactive if interactive else client.batch
            try:
                send(identifier, *transfer)
            except Lost:
                ledger.count("connections lost")
                status = client.outcome(identifier, deadline)
                ledger.count(f"lost, found {status}")
                if status == "unknown" and not interactive:
                    resend(client, identifier, transfer, deadline)
                elif status != "committed":
                    # The node that held the transaction is gone, and its commit is not in the journal.
                    with ledger.lock:
                        ledger.refused.add(identifier)
                    continue
            with ledger.lock:
                ledger.acknowledged[identifier] = transfer
                ledger.counts["interactive" if interactive else "batches"] += 1
            return
        except Refused as refusal:
            with ledger.lock:
                ledger.refused.add(identifier)
            if refusal.code == "40001":
                ledger.count("conflicts")
                time.sleep(random.uniform(0, 0.02))
            elif refusal.code == "23514":
                ledger.count("not enough money")
                return
            elif refusal.code in ("25P01", "57P01"):
                # The transaction was open in the node that is gone.
                ledger.count("transactions gone")
            else:
                ledger.complain(f"refused: {refusal}")
                return


def resend(client, identifier, transfer, deadline):
    """The same batch under the same key: it is applied once, however often it is sent."""
    while True:
        try:
            return client.batch(identifier, *transfer)
        except Lost:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def audit(node, ledger, total, until):
    """Adds up the balances the whole time: every snapshot must hold all the money."""
    client = Client(node)
    while time.monotonic() < until:
        try:
            found = client.request("POST", "/sql", {"query": "SELECT sum(balance) FROM account", "params": []})["rows"][0][0]
        except Lost:
            time.sleep(0.05)
            continue
        except Refused as refusal:
            ledger.complain(f"the audit was refused: {refusal}")
            return
        ledger.count("audits")
        if found != str(total):
            ledger.complain(f"an audit found {found} instead of {total}")
        time.sleep(0.05)


def verify(node, ledger, options, total):
    """Complaints about the final state."""
    complaints = list(ledger.errors)
    _, [[found]] = node.query("SELECT sum(balance) FROM account")
    if found != str(total):
        complaints.append(f"the accounts hold {found} instead of {total}")
    _, rows = node.query("SELECT id, source, target, amount FROM transfer ORDER BY id")
    noted = {row[0]: tuple(int(value) for value in row[1:]) for row in rows}
    if len(noted) != len(rows):
        complaints.append("a transfer is noted twice")
    for identifier, transfer in ledger.acknowledged.items():
        if noted.get(identifier) != transfer:
            complaints.append(f"acknowledged transfer {identifier} is {noted.get(identifier, 'missing')}")
    for identifier in ledger.refused:
        if identifier in noted:
            complaints.append(f"refused transfer {identifier} is there")
    strangers = len(set(noted) - set(ledger.acknowledged) - ledger.refused)
    if strangers:
        complaints.append(f"{strangers} transfers are there that nobody heard of")
    balances = {number: OPENING_BALANCE for number in range(1, options.accounts + 1)}
    for source, target, amount in noted.values():
        balances[source] -= amount
        balances[target] += amount
    _, rows = node.query("SELECT id, balance FROM account ORDER BY id")
    wrong = [row[0] for row in rows if balances[int(row[0])] != int(row[1])]
    if wrong or len(rows) != options.accounts:
        complaints.append(f"balances are not what the transfers add up to, in {len(wrong)} accounts")
    return complaints


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
        threads += [threading.Thread(target=audit, args=(node, ledger, total, until)) for _ in range(2)]
        for thread in threads:
            thread.start()
        kill_now_and_then(node, ledger, options, began)
        for thread in threads:
            thread.join()
        complaints = verify(node, ledger, options, total)
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
