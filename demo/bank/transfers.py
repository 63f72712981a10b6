"""A bank's accounts, the clients that move money between them, and the audit of what they were told.

Half of the transfers are atomic batches under an Idempotency-Key, half are interactive transactions. Whoever loses a
conflict (40001) tries again; whoever loses the connection asks GET /v1/commits/{ulid} what became of the transfer.
"""

import collections
import http.client
import json
import os
import random
import threading
import time

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

# The node cannot serve now, whatever is asked of it: it has no majority, or it is shutting down.
NOT_HERE = {"57P03", "57P01", "XX000"}


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
    """The connection broke, or the node cannot say: what became of the request is not known."""


class Ledger:
    """What the clients know, under one lock."""

    def __init__(self):
        self.lock = threading.Lock()
        self.acknowledged = {}
        self.refused = set()
        # Transfers whose fate could not be found out when it was asked for: either is right, but not twice.
        self.open = set()
        # (moment, region of the node that answered, seconds) of each acknowledged transfer.
        self.made = []
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
    """One client with a connection that it opens again when it breaks: to its own node, or to the next one when there
    are several. After a second it tries its own again."""

    def __init__(self, *nodes, timeout=30):
        self.nodes = nodes
        self.timeout = timeout
        self.at = 0
        self.left = 0.0
        self.connection = None

    @property
    def node(self):
        return self.nodes[self.at]

    def move_on(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None
        if self.at == 0:
            self.left = time.monotonic()
        self.at = (self.at + 1) % len(self.nodes)

    def go_home(self):
        """Between two transfers, for a transaction is at one node."""
        if self.at != 0 and time.monotonic() - self.left > 1:
            self.move_on()
            self.at = 0

    def request(self, method, path, body=None, headers=None):
        """The parsed answer of one request; Refused or Lost."""
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.node.port, timeout=self.timeout)
            self.connection.request(method, path, None if body is None else json.dumps(body), {**RAW, **(headers or {})})
            response = self.connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.move_on()
            raise Lost(str(error)) from error
        if response.status >= 400 and "code" in answer:
            if answer["code"] == "08007":
                raise Lost(answer["message"])
            if answer["code"] in NOT_HERE:
                self.move_on()
            raise Refused(answer)
        return answer

    def outcome(self, identifier, deadline):
        """`committed`, `refused` or `unknown`, as soon as a node is there to say it."""
        while time.monotonic() < deadline:
            try:
                return self.request("GET", f"/v1/commits/{identifier}")["status"]
            except Lost:
                time.sleep(0.02)
            except Refused as refusal:
                if refusal.code not in NOT_HERE:
                    raise
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


def make_transfer(client, ledger, interactive, transfer, patience=60):
    """Tries until the transfer is made or refused for good."""
    began = time.monotonic()
    deadline = began + patience
    while True:
        client.go_home()
        try:
            identifier = client.request("POST", "/v1/transactions", {"isolation": "repeatable-read"})["id"] if interactive else ulid()
        except (Lost, Refused) as error:
            if time.monotonic() > deadline or isinstance(error, Refused) and error.code not in NOT_HERE:
                raise Lost(str(error)) from error
            time.sleep(0.02)
            continue
        tried = time.monotonic()
        try:
            try:
                (client.interactive if interactive else client.batch)(identifier, *transfer)
            except Lost:
                if not find_out(client, ledger, interactive, identifier, transfer, deadline):
                    continue
            with ledger.lock:
                ledger.acknowledged[identifier] = transfer
                ledger.made.append((time.monotonic(), client.node, time.monotonic() - tried))
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
            elif refusal.code == "25P01":
                # The transaction was open in the node that is gone.
                ledger.count("transactions gone")
            elif refusal.code in NOT_HERE and time.monotonic() < deadline:
                ledger.count("refused without a majority")
                time.sleep(0.02)
            else:
                ledger.complain(f"refused: {refusal}")
                return


def find_out(client, ledger, interactive, identifier, transfer, deadline):
    """After a lost answer: whether the transfer was made. A batch is sent again until it was."""
    ledger.count("connections lost")
    status = client.outcome(identifier, deadline)
    ledger.count(f"lost, found {status}")
    if status == "committed":
        return True
    if status == "unknown" and not interactive:
        resend(client, identifier, transfer, deadline)
        return True
    with ledger.lock:
        if status == "unknown" and len(client.nodes) > 1:
            # Its node is gone, and the commit is not in the journal; it may have been on its way to the leader.
            ledger.open.add(identifier)
        else:
            ledger.refused.add(identifier)
    return False


def resend(client, identifier, transfer, deadline):
    """The same batch under the same key: it is applied once, however often it is sent."""
    while True:
        try:
            return client.batch(identifier, *transfer)
        except (Lost, Refused) as error:
            if time.monotonic() > deadline or isinstance(error, Refused) and error.code not in NOT_HERE:
                raise
            time.sleep(0.02)


def audit(client, ledger, total, until):
    """Adds up the balances the whole time: every snapshot must hold all the money."""
    while time.monotonic() < until:
        client.go_home()
        try:
            found = client.request("POST", "/sql", {"query": "SELECT sum(balance) FROM account", "params": []})["rows"][0][0]
        except Lost:
            time.sleep(0.05)
            continue
        except Refused as refusal:
            if refusal.code in NOT_HERE:
                time.sleep(0.05)
                continue
            ledger.complain(f"the audit was refused: {refusal}")
            return
        ledger.count("audits")
        if found != str(total):
            ledger.complain(f"an audit found {found} instead of {total}")
        time.sleep(0.05)


def verify(node, ledger, accounts, total):
    """Complaints about the final state, as this node shows it."""
    complaints = []
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
    strangers = len(set(noted) - set(ledger.acknowledged) - ledger.refused - ledger.open)
    if strangers:
        complaints.append(f"{strangers} transfers are there that nobody heard of")
    balances = {number: OPENING_BALANCE for number in range(1, accounts + 1)}
    for source, target, amount in noted.values():
        balances[source] -= amount
        balances[target] += amount
    _, rows = node.query("SELECT id, balance FROM account ORDER BY id")
    wrong = [row[0] for row in rows if balances[int(row[0])] != int(row[1])]
    if wrong or len(rows) != accounts:
        complaints.append(f"balances are not what the transfers add up to, in {len(wrong)} accounts")
    return complaints
