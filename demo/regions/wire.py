"""Clients that cost little, so that what is measured is the node: HTTP/1.1 by hand on connections that stay open."""

import json
import multiprocessing
import selectors
import socket
import time


class Connection:
    """One connection to a node, one request at a time."""

    def __init__(self, port: int):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""

    def send(self, sql: str, *parameters) -> None:
        body = json.dumps({"query": sql, "params": [str(parameter) for parameter in parameters]}).encode()
        self.socket.sendall(b"POST /sql HTTP/1.1\r\nhost: isobar\r\nneon-raw-text-output: true\r\nneon-array-mode: true\r\n"
                            b"content-length: %d\r\n\r\n%s" % (len(body), body))

    def receive(self):
        """(status, body) as soon as the answer is whole; None when more is to come."""
        piece = self.socket.recv(1 << 16)
        if not piece:
            raise ConnectionError("the node closed the connection")
        self.received += piece
        head, end, rest = self.received.partition(b"\r\n\r\n")
        if not end:
            return None
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        if len(rest) < length:
            return None
        self.received = rest[length:]
        return int(head.split(b" ", 2)[1]), rest[:length]

    def ask(self, sql: str, *parameters) -> float:
        """Milliseconds until the answer was here; anything but success is an error."""
        began = time.perf_counter()
        self.send(sql, *parameters)
        while (answer := self.receive()) is None:
            pass
        took = time.perf_counter() - began
        if answer[0] != 200:
            raise RuntimeError(answer[1].decode(errors="replace"))
        return took * 1000

    def close(self) -> None:
        self.socket.close()


def write(ports, writers: int, seconds: float, count: int, first: int, sql: str, results) -> None:
    """Has `writers` connections, spread over the ports, run `sql` with numbers from `first` on, for some time or until
    `count` are done; puts the number of commits, the seconds, the moments of commits and the refusals in `results`."""
    connections = selectors.DefaultSelector()
    number, done, moments, refusals = first, 0, [], []
    began = time.monotonic()
    for index in range(writers):
        connection = Connection(ports[index % len(ports)])
        connections.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send(sql, number)
        number += 1
    open_requests = writers
    while open_requests:
        for key, _ in connections.select(1.0):
            answer = key.data.receive()
            if answer is None:
                continue
            if answer[0] == 200:
                done += 1
                moments.append(time.monotonic())
            elif len(refusals) < 10:
                refusals.append(answer[1].decode(errors="replace"))
            if time.monotonic() - began < seconds and number - first < count:
                key.data.send(sql, number)
                number += 1
            else:
                open_requests -= 1
    results.put((done, time.monotonic() - began, moments, refusals))


class Writers:
    """`write` in a process of its own."""

    def __init__(self, ports, writers: int, sql: str, seconds: float = 3600.0, count: int = 1 << 60, first: int = 0):
        self.results = multiprocessing.Queue()
        self.process = multiprocessing.Process(
            target=write, args=(ports, writers, seconds, count, first, sql, self.results), daemon=True)
        self.process.start()

    def finish(self):
        """(commits, seconds, moments of the commits)."""
        done, seconds, moments, refusals = self.results.get()
        self.process.join()
        if refusals:
            raise RuntimeError(f"a write was refused: {refusals[0]}")
        return done, seconds, moments
