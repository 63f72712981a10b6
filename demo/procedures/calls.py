"""Each procedure is called from everywhere, and what it answers is compared with what it must be."""

import csv
import io
import json
import re
import statistics

from node import Node
from stage import Story, isobar, must, one


def call_everything(node: Node, story: Story, total: str):
    story.tell("\nfrom `isobar sql`")
    by_shell(node, story, total)
    story.tell("\nover HTTP, and from each other")
    by_http(node, story, total)
    story.tell("\nin queries")
    in_queries(node, story)
    story.tell("\nerrors")
    errors(node, story, total)


def shell(node: Node, sql: str):
    """The rows of the last result."""
    output = must(node, "sql", "--format", "csv", "-c", sql)
    return list(csv.reader(io.StringIO(output)))


def by_shell(node: Node, story: Story, total: str):
    rows = shell(node, "BEGIN; SELECT from_balance, to_balance FROM transfer('ann', 'bob', 12.50); ROLLBACK")
    story.expect("a transfer, rolled back", rows[1], ["487.50", "12.50"])
    story.expect("ann has what she had", one(node, "SELECT balance FROM account WHERE id = 'ann'"), "500.00")
    rows = shell(node, """
        BEGIN;
        CALL transfer('ann', 'bob', 12.50);
        SELECT a.id, s.amount, s.balance FROM account a, LATERAL statement(a.id) s
            WHERE a.id IN ('ann', 'bob') ORDER BY a.id;
        COMMIT""")
    story.expect("a transfer by CALL, committed", rows[-2:], [["ann", "-12.50", "487.50"], ["bob", "12.50", "12.50"]])
    story.expect("the total", one(node, "SELECT check_total()"), total)
    output = must(node, "procedure", "test", "ledger", "transfer", "ann", "bob", "1")
    story.expect("`isobar procedure test` rolls back", "rolled back" in output, True)
    story.expect("so ann still has", one(node, "SELECT balance FROM account WHERE id = 'ann'"), "487.50")
    words = "the sea, the sky, the sea and the land"
    rows = shell(node, f"SELECT word, count FROM word_frequencies('{words}', 2)")
    story.expect("the most frequent words", rows[1:], [["the", "4"], ["sea", "2"]])


def by_http(node: Node, story: Story, total: str):
    """One transaction over several requests, in which JavaScript calls SQL, which calls Rust, which calls SQL."""
    _, _, body = node.request("POST", "/v1/transactions", {})
    path = f"/v1/transactions/{json.loads(body)['id']}"

    def ask(sql, *parameters):
        status, _, body = node.request("POST", f"{path}/sql", {"query": sql, "params": list(parameters)},
                                       {"Neon-Raw-Text-Output": "true"})
        answer = json.loads(body)
        if status != 200:
            raise RuntimeError(f"{answer.get('code')}: {answer.get('message')}")
        return answer["rows"]

    [score] = ask("SELECT * FROM route_score($1, $2)", "JFK", "LAX")
    [direct] = ask("SELECT count(*) AS flights, count(DISTINCT carrier) AS carriers FROM flights "
                   "WHERE origin = 'JFK' AND dest = 'LAX'")
    story.expect("flights from JFK to LAX, as fare (JavaScript) counts them", score["flights"], direct["flights"])
    story.tell(f"  the route's score: {score['score']}, on time {100 * float(score['on_time']):.0f} %, "
               f"{score['carriers']} carriers")
    [ticket] = ask("SELECT * FROM book('ann', 'JFK', 'LAX')")
    story.tell(f"  ann buys a ticket of {ticket['carrier']} for {ticket['price']}: book (JavaScript) has called "
               f"transfer (Rust)")
    [own] = ask("SELECT balance FROM account WHERE id = 'ann'")
    left = f"{487.50 - float(ticket['price']):.2f}"
    story.expect("inside the transaction ann has", own["balance"], left)
    story.expect("outside she still has", one(node, "SELECT balance FROM account WHERE id = 'ann'"), "487.50")
    node.request("POST", f"{path}/commit", {})
    story.expect("after COMMIT she has", one(node, "SELECT balance FROM account WHERE id = 'ann'"), left)
    story.expect("the ticket's transfer is noted",
                 one(node, "SELECT count(*) FROM entry WHERE transfer = $1::text::uuid", ticket["transfer"]), "2")
    story.expect("the total", one(node, "SELECT check_total()"), total)


def in_queries(node: Node, story: Story):
    _, rows = node.query("SELECT DISTINCT distance, fare(distance, carrier) FROM flights WHERE carrier = 'WN' "
                         "ORDER BY distance")
    wrong = [row for row in rows if float(row[1]) != round((39 + int(row[0]) * 0.09) * 100) / 100]
    story.expect(f"fares of WN over {len(rows)} distances that are wrong", wrong, [])
    _, rows = node.query("SELECT distance FROM flights WHERE carrier = 'AA'")
    wanted = statistics.median(int(row[0]) for row in rows)
    found = one(node, "SELECT median(array_agg(distance::double precision)) FROM flights WHERE carrier = 'AA'")
    story.expect("the median (Python) of AA's distances", float(found), wanted)
    _, names = node.query("SELECT name FROM airports")
    counts = {}
    for [name] in names:
        for word in re.findall(r"\w+(?:['’]\w+)*", name.lower()):
            counts[word] = counts.get(word, 0) + 1
    wanted = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:3]
    _, rows = node.query("SELECT word, count FROM word_frequencies_of('SELECT name FROM airports', 3)")
    story.expect("the most frequent words of the airports' names", [(word, int(count)) for word, count in rows], wanted)


def errors(node: Node, story: Story, total: str):
    """Errors of the procedures' own arrive with their SQLSTATEs, also through another procedure; nothing remains."""
    code, _, errors = isobar(node, "sql", "-c", "SELECT transfer('bob', 'ann', 1000000)")
    story.tell("".join(f"    {line}\n" for line in errors.rstrip().splitlines()).rstrip())
    story.expect("too large a transfer ends the shell with", code, 1)
    for what, sql, wanted in [
        ("too large a transfer", "SELECT transfer('bob', 'ann', 1000000)", "LD001"),
        ("an account that is not there", "SELECT transfer('ann', 'nobody', 1)", "LD002"),
        ("half a cent", "SELECT transfer('ann', 'bob', 0.005)", "LD003"),
        ("a ticket that bob cannot pay", "SELECT book('bob', 'JFK', 'LAX')", "LD001"),
        ("a route that nobody flies", "SELECT route_score('JFK', 'XXX')", "P0001"),
        ("an amount that is no number", "SELECT transfer('ann', 'bob', 'much')", "22P02"),
        ("too few arguments", "SELECT transfer('ann')", "42883"),
        ("NULL where none may be", "SELECT fare(NULL, 'AA')", "22004"),
        ("a cut that leaves nothing", "SELECT trimmed_mean(ARRAY[1, 2]::double precision[], 0.5)", "22023"),
    ]:
        _, _, body = node.request("POST", "/sql", {"query": sql, "params": []})
        story.expect(what, json.loads(body).get("code"), wanted)
    story.expect("the total", one(node, "SELECT check_total()"), total)
