"""A node under a demonstration's control: started from the binary, asked over HTTP, killed and started again."""

import http.client
import json
import pathlib
import signal
import socket
import subprocess
import sys
import time

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
DEFAULT_BINARY = REPOSITORY / "target" / "release" / "isobar"


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Node:
    """One `isobar start` on a folder and a port that stay the same over restarts."""

    def __init__(self, binary, folder: pathlib.Path, configuration: str = "", arguments=()):
        """`configuration`: settings as in isobar.example.toml; `arguments`: further ones of `isobar start`."""
        self.binary = pathlib.Path(binary)
        if not self.binary.exists():
            sys.exit(f"{self.binary} is not there: build it with `cargo build --release --bin isobar`, or name one with --binary")
        self.folder = folder
        self.port = free_port()
        self.configuration = folder / "isobar.toml"
        self.configuration.write_text(configuration)
        self.arguments = list(arguments)
        self.process = None
        self.log = open(folder / "node.log", "ab")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, patience: float = 60.0) -> float:
        """Starts the process and waits until it is ready; answers the seconds that took."""
        began = time.monotonic()
        self.process = subprocess.Popen(
            [self.binary, "start", "--config", self.configuration, "--data", self.folder / "data",
             "--http", f"127.0.0.1:{self.port}", *self.arguments],
            stdout=self.log, stderr=self.log)
        while time.monotonic() - began < patience:
            if self.process.poll() is not None:
                sys.exit(f"the node stopped with code {self.process.returncode}:\n{self.last_words()}")
            try:
                status, _, _ = self.request("GET", "/ready")
                if status == 200:
                    return time.monotonic() - began
            except OSError:
                pass
            time.sleep(0.01)
        sys.exit(f"the node was not ready within {patience:.0f} s:\n{self.last_words()}")

    def kill(self) -> None:
        """kill -9: no goodbye, nothing flushed."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """SIGTERM, then SIGKILL when it does not listen."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def last_words(self) -> str:
        self.log.flush()
        return (self.folder / "node.log").read_text(errors="replace")[-4000:]

    def request(self, method: str, path: str, body=None, headers=None, timeout: float = 600.0):
        """One request on a connection of its own: (status, headers, bytes)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body=None if body is None else json.dumps(body), headers=headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def query(self, sql: str, parameters=(), headers=None):
        """Column names and rows, every value as PostgreSQL's text or None."""
        status, _, body = self.request(
            "POST", "/sql", {"query": sql, "params": list(parameters)},
            {"Neon-Raw-Text-Output": "true", "Neon-Array-Mode": "true", **(headers or {})})
        answer = json.loads(body)
        if status != 200:
            raise RuntimeError(f"{answer.get('code')}: {answer.get('message')}")
        return [field["name"] for field in answer["fields"]], answer["rows"]
