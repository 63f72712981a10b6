#!/usr/bin/env python3
"""Asks PostgreSQL 15 for the answers in sqllogictest files, so that no expectation is ours.

    fill.py [--check] [--host /tmp] [--port 5432] [--user postgres] [FILE.slt ...]      default: every file beside this

A record is a directive, its statement, and its answer; records are parted by an empty line. A block without a
directive is a statement whose record is still to be written: PostgreSQL says whether it is a `query`, a `statement
ok`, a `statement count N` or a `statement error SQLSTATE: message`. With --check nothing is written: the exit code is 1 if any
file would change. Every file runs in a fresh database (C collation, UTF-8, time zone UTC).

In answers NULL is `NULL`, an empty text is `(empty)`, columns are parted by a space, and runs of spaces compare as one.
Rows of a query without ORDER BY are sorted (`rowsort`). A comment `# ours:` above a record keeps it as it is, because
the answer is not PostgreSQL's (the comment says why).
"""

import argparse
import pathlib
import re
import subprocess
import sys

FIELD, RECORD, NULL, MARK = "\x1f", "\x1e", "\x1d", "\x1c"
DATABASE = "isobar_slt_fill"
OPTIONS = "-c timezone=UTC -c datestyle=ISO,MDY -c client_min_messages=error"


class Session:
    """One psql, asked a statement at a time."""

    def __init__(self, options):
        self.base = ["psql", "-X", "-q", "-h", options.host, "-p", str(options.port), "-U", options.user]
        self.admin("DROP DATABASE IF EXISTS " + DATABASE)
        self.admin(f"CREATE DATABASE {DATABASE} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'")
        layout = ["-A", "-F", FIELD, "-R", RECORD, "-P", f"null={NULL}", "-P", "footer=off", "-v", "VERBOSITY=verbose"]
        self.process = subprocess.Popen(
            [*self.base, *layout, DATABASE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, encoding="utf-8", env={"PGOPTIONS": OPTIONS, "PATH": "/usr/bin:/bin:/usr/local/bin"})

    def admin(self, sql):
        subprocess.run([*self.base, "-c", sql, "postgres"], check=True, stderr=subprocess.DEVNULL)

    def ask(self, sql):
        """(error or None, rows or None, rows affected)"""
        self.process.stdin.write(f"{sql}\n;\n\\echo {MARK}:SQLSTATE,:ROW_COUNT{MARK}\n")
        self.process.stdin.flush()
        text = ""
        while not (text.endswith(MARK + "\n") and text.count(MARK) == 2):
            line = self.process.stdout.readline()
            if not line:
                sys.exit(f"psql went away at:\n{sql}\n{text}")
            text += line
        text, state, _ = text.split(MARK)
        sqlstate, _, affected = state.partition(",")
        if sqlstate != "00000":
            return re.search(r"^(?:psql:.*?: )?(?:ERROR|FATAL):  (\w{5}: .*)$", text, re.MULTILINE).group(1), None, 0
        if not text:
            return None, None, int(affected)
        rows = [record.split(FIELD) for record in text.removesuffix("\n").split(RECORD)]
        return None, rows, int(affected)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.admin("DROP DATABASE IF EXISTS " + DATABASE)


def shown(value):
    if value == NULL:
        return "NULL"
    return "(empty)" if value == "" else value


def escaped(message):
    """A regular expression that matches the message, readable where it can be."""
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", message)


def record(session, sql, keep_statement):
    """The finished record of one statement, as lines."""
    error, rows, affected = session.ask(sql)
    if error is not None:
        return [f"statement error {escaped(error)}", sql]
    if rows is None or keep_statement:
        word = re.match(r"\s*(?:with\b.*?\b)?(insert|update|delete)\b", sql, re.IGNORECASE | re.DOTALL)
        return [f"statement count {affected}" if word and rows is None else "statement ok", sql]
    names, values = rows[0], [[shown(value) for value in row] for row in rows[1:]]
    if any("\n" in value for row in values for value in row):
        sys.exit(f"a value of this answer has a line break, which the format cannot hold:\n{sql}")
    types = "T" * (len(names) if names != [""] else max(1, len(values[0]) if values else 1))
    ordered = re.search(r"\border\s+by\b(?![^()]*\))", sql, re.IGNORECASE) or len(values) < 2 or sql.lower().startswith("explain")
    if not ordered:
        values.sort()
    return [f"query {types}{'' if ordered else ' rowsort'}", sql, "----", *(" ".join(row) for row in values)]


def fill(path, options):
    """True when the file was complete already."""
    session, blocks = Session(options), []
    text = path.read_text(encoding="utf-8")
    for block in re.split(r"\n(?:[ \t]*\n)+", text.strip("\n")):
        lines = block.split("\n")
        comments = []
        while lines and lines[0].startswith("#"):
            comments.append(lines.pop(0))
        directive = re.match(r"(statement|query)\b", lines[0]) if lines else None
        if not lines or re.match(r"(halt|skipif|onlyif|control|hash-threshold)\b", lines[0]):
            blocks.append("\n".join([*comments, *lines]))
            continue
        sql = "\n".join(lines[1:] if directive else lines).split("\n----")[0].strip().removesuffix(";")
        if any(comment.startswith("# ours:") for comment in comments):
            if directive and not lines[0].startswith("statement error"):
                session.ask(sql)
            blocks.append("\n".join([*comments, *lines]))
            continue
        blocks.append("\n".join([*comments, *record(session, sql, lines[0].startswith("statement ok"))]))
    session.close()
    filled = "\n\n".join(blocks) + "\n"
    if filled != text and not options.check:
        path.write_text(filled, encoding="utf-8")
    return filled == text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--host", default="/tmp")
    parser.add_argument("--port", type=int, default=5432)
    parser.add_argument("--user", default="postgres")
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    files = options.files or sorted(pathlib.Path(__file__).resolve().parent.rglob("*.slt"))
    changed = [str(path) for path in files if not fill(path, options)]
    print(f"{len(files) - len(changed)} files complete, {len(changed)} {'would change' if options.check else 'filled'}")
    for path in changed:
        print(f"  {path}")
    sys.exit(1 if changed and options.check else 0)


if __name__ == "__main__":
    main()
