"""PostgreSQL 15 under a demonstration's control: the oracle for answers and the opponent for speed."""

import os
import pathlib
import shutil
import subprocess
import sys

from node import free_port

# Separators that no value of the data holds, so that psql's text can be cut apart without doubt.
FIELD, RECORD, NULL = "\x1f", "\x1e", "\x1d"


class Postgres:
    """A PostgreSQL server in a temporary folder, C locale, UTF-8, time zone UTC."""

    def __init__(self, folder: pathlib.Path):
        programs = [shutil.which("initdb"), "/usr/lib/postgresql/15/bin/initdb"]
        initdb = next((pathlib.Path(p).resolve() for p in programs if p and pathlib.Path(p).exists()), None)
        if initdb is None:
            sys.exit("initdb is not there: the answers are compared with PostgreSQL 15, install it first")
        self.programs = initdb.parent
        self.folder = folder
        self.port = free_port()
        # initdb refuses to run as root
        self.as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        self.user = "postgres"
        folder.mkdir()
        if self.as_user:
            shutil.chown(folder, "postgres", "postgres")

    def run(self, program: str, *arguments, **options):
        command = [*self.as_user, str(self.programs / program), *map(str, arguments)]
        return subprocess.run(command, check=True, cwd="/", **options)

    def start(self) -> None:
        data = self.folder / "data"
        self.run("initdb", "-D", data, "-E", "UTF8", "--locale=C", "-U", self.user, "-A", "trust", stdout=subprocess.DEVNULL)
        options = f"-p {self.port} -k {self.folder} -h '' -c timezone=UTC -c max_parallel_workers_per_gather=0 -c shared_buffers=256MB -c work_mem=64MB"
        self.run("pg_ctl", "-D", data, "-w", "-l", self.folder / "log", "-o", options, "start", stdout=subprocess.DEVNULL)

    def stop(self) -> None:
        self.run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "stop", stdout=subprocess.DEVNULL)

    def psql(self, *arguments, **options) -> str:
        command = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-p", self.port, "-U", self.user, "postgres"]
        done = subprocess.run([*map(str, command), *map(str, arguments)], capture_output=True, text=True, **options)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        return done.stdout

    def query(self, sql: str):
        """Column names, rows of text or None, and the milliseconds that psql measured."""
        layout = ["-A", "-F", FIELD, "-R", RECORD, "-P", f"null={NULL}", "-P", "footer=off"]
        text = self.psql(*layout, "-c", "\\timing on", "-c", sql)
        text, _, timing = text.rpartition("Time: ")
        records = [record.split(FIELD) for record in text.removesuffix("\n").split(RECORD)]
        rows = [[None if value == NULL else value for value in record] for record in records[1:]]
        return records[0], rows, float(timing.split()[0])
