"""What the demonstration needs before it begins: the procedures, a bank, some flights."""

import itertools
import pathlib
import subprocess
import time

from fetch import DEFAULT_FOLDER, fetch
from node import REPOSITORY, Node

EXAMPLES = REPOSITORY / "guest" / "examples"
FLIGHTS_SCHEMA = REPOSITORY / "demo" / "flights" / "schema.sql"
COMPONENTS = {"ledger": "Rust", "fare": "JavaScript", "text": "Python"}
OPENING = 1000


class Story:
    """What was seen, and whether it was what it must be."""

    def __init__(self):
        self.checked = 0
        self.complaints = []

    def tell(self, text):
        print(text, flush=True)

    def expect(self, what, found, wanted):
        """Tells it either way."""
        self.checked += 1
        if found == wanted:
            self.tell(f"  {what}: {found}")
        else:
            self.complain(f"{what}: {found!r} and not {wanted!r}")

    def complain(self, text):
        self.complaints.append(text)
        self.tell(f"  WRONG: {text}")


def isobar(node: Node, *arguments, text=None):
    """(exit code, standard output, standard error) of a command of the binary."""
    command, *rest = arguments
    run = subprocess.run([node.binary, command, "--url", node.url, *rest], input=text, capture_output=True, text=True)
    return run.returncode, run.stdout, run.stderr


def must(node: Node, *arguments, text=None) -> str:
    code, output, errors = isobar(node, *arguments, text=text)
    if code != 0:
        raise RuntimeError(f"isobar {' '.join(map(str, arguments))} ended with {code}:\n{output}{errors}")
    return output


def deploy_all(node: Node, story: Story, components: pathlib.Path):
    for name, language in COMPONENTS.items():
        file = components / f"{name}.wasm"
        began = time.monotonic()
        must(node, "procedure", "deploy", file)
        seconds = time.monotonic() - began
        story.tell(f"{name} ({language}, {file.stat().st_size / 1e6:.1f} MB) deployed in {seconds:.2f} s")
    story.tell(must(node, "procedure", "list").rstrip())


def load_bank(node: Node, story: Story, accounts: int) -> str:
    """The accounts, two of them with names, and one for each airline. Answers the total."""
    must(node, "sql", "-f", EXAMPLES / "ledger" / "schema.sql")
    node.query("INSERT INTO account (id, opening, balance) VALUES ('ann', 500, 500), ('bob', 0, 0)")
    node.query(f"INSERT INTO account (id, opening, balance) SELECT 'account ' || g, {OPENING}, {OPENING} "
               f"FROM generate_series(1, {accounts}) g")
    must(node, "sql", "-f", FLIGHTS_SCHEMA)
    fetch(DEFAULT_FOLDER)
    for name in ("airlines", "airports"):
        must(node, "load", "--table", name, "--null", "NA", DEFAULT_FOLDER / f"{name}.csv")
    node.query("INSERT INTO account (id, opening, balance) SELECT carrier, 0, 0 FROM airlines")
    total = f"{500 + accounts * OPENING}.00"
    story.expect("the ledger's total", one(node, "SELECT check_total()"), total)
    return total


def load_flights(node: Node, story: Story, count: int, folder: pathlib.Path):
    """The first so many: those from the first of January on."""
    part = folder / "flights.csv"
    with open(DEFAULT_FOLDER / "flights.csv", encoding="utf-8") as file:
        part.write_text("".join(itertools.islice(file, count + 1)), encoding="utf-8")
    began = time.monotonic()
    must(node, "load", "--table", "flights", "--null", "NA", part)
    story.tell(f"{count} flights loaded in {time.monotonic() - began:.1f} s")


def one(node: Node, sql: str, *parameters):
    """The only value of a query."""
    _, [[value]] = node.query(sql, parameters)
    return value
