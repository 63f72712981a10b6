#!/usr/bin/env python3
"""Lines between regions: TCP on loopback that takes as long as a real distance, and that can be cut.

Every pair of regions has two ports, one for the connections that each of the two makes to the other, and one delay.
The lines run in a process of their own, so that the clients of a demonstration do not hold them up; a `Links` starts it
and steers it:

    links = Links({("oregon", "tokyo"): 40.0})                  # the round trip in milliseconds
    links.route("oregon", "tokyo", 7103)                        # the port by which oregon reaches tokyo
    links.cut("oregon", "tokyo")                                # nothing passes, the connections stay: a partition
    links.cut_one_way("oregon", "tokyo")                        # only what oregon sends is lost
    links.heal("oregon", "tokyo")

What is sent into a cut line is held, as TCP would send it again, and arrives when the line is healed.
"""

import asyncio
import json
import os
import pathlib
import selectors
import subprocess
import sys
import threading
import time

# Bytes that one direction of a connection may hold: bandwidth times delay, and what piles up before a cut.
HELD_BYTES = 64 << 20


class Direction:
    """What one region sends to another, over all their connections."""

    def __init__(self, delay: float):
        self.delay = delay
        self.bytes = 0
        self.open = asyncio.Event()
        self.open.set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Moves bytes in order, each piece `delay` seconds after it came, until the sender has no more."""
        under_way = asyncio.Queue()
        room = asyncio.Condition()
        held = 0

        async def receive():
            nonlocal held
            while True:
                try:
                    piece = await reader.read(1 << 16)
                except OSError:
                    piece = b""
                async with room:
                    await room.wait_for(lambda: held < HELD_BYTES)
                    held += len(piece)
                under_way.put_nowait((time.monotonic() + self.delay, piece))
                if not piece:
                    return

        receiving = asyncio.ensure_future(receive())
        try:
            while True:
                due, piece = await under_way.get()
                if (wait := due - time.monotonic()) > 0:
                    await asyncio.sleep(wait)
                await self.open.wait()
                if not piece:
                    writer.close()
                    return
                writer.write(piece)
                await writer.drain()
                self.bytes += len(piece)
                async with room:
                    held -= len(piece)
                    room.notify()
        except OSError:
            writer.close()
        finally:
            receiving.cancel()


class Switchboard:
    """All lines, in the process that carries them."""

    def __init__(self):
        self.directions = {}

    def direction(self, sender: str, receiver: str) -> Direction:
        return self.directions.setdefault((sender, receiver), Direction(0.0))

    async def route(self, caller: str, called: str, port: int) -> int:
        """A port whose connections reach `port`, as the caller's connections to the region that it calls."""
        there, back = self.direction(caller, called), self.direction(called, caller)

        async def accept(reader, writer):
            # A connection takes a round trip to be made, and fails only after one.
            await asyncio.sleep(there.delay + back.delay)
            await there.open.wait()
            await back.open.wait()
            try:
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                writer.transport.abort()
                return
            await asyncio.gather(there.carry(reader, far_writer), back.carry(far_reader, writer))

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        return server.sockets[0].getsockname()[1]

    async def obey(self, verb: str, *words):
        """One command of the process's owner; what it answers."""
        if verb == "route":
            return await self.route(*words)
        if verb == "bytes":
            return sum(direction.bytes for direction in self.directions.values())
        direction = self.direction(words[0], words[1])
        if verb == "cut":
            direction.open.clear()
        elif verb == "heal":
            direction.open.set()
        elif verb == "delay":
            direction.delay = words[2]
        else:
            raise ValueError(f"no command {verb}")
        return None

    async def serve(self):
        """Commands from standard input, a line of JSON each, until it ends."""
        loop = asyncio.get_running_loop()
        commands = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
        while line := await commands.readline():
            print(json.dumps(await self.obey(*json.loads(line))), flush=True)


class Links:
    """The lines of a demonstration, steered from its own process."""

    def __init__(self, round_trips):
        """`round_trips`: milliseconds by pair of regions."""
        # A group of its own: Ctrl-C is for the demonstration, which then stops its nodes first.
        self.process = subprocess.Popen([sys.executable, pathlib.Path(__file__).resolve()], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.lock = threading.Lock()
        for (one, other), milliseconds in round_trips.items():
            self.delay(one, other, milliseconds)

    def ask(self, *command):
        with self.lock:
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError("the lines are down: their process has ended")
        return json.loads(answer)

    def route(self, caller: str, called: str, port: int) -> int:
        """The port by which one region reaches what listens at `port` in another."""
        return self.ask("route", caller, called, port)

    def delay(self, one: str, other: str, round_trip: float) -> None:
        """The round trip between two regions from now on, in milliseconds."""
        self.ask("delay", one, other, round_trip / 2000)
        self.ask("delay", other, one, round_trip / 2000)

    def cut(self, one: str, other: str) -> None:
        self.cut_one_way(one, other)
        self.cut_one_way(other, one)

    def cut_one_way(self, sender: str, receiver: str) -> None:
        self.ask("cut", sender, receiver)

    def heal(self, one: str, other: str) -> None:
        self.ask("heal", one, other)
        self.ask("heal", other, one)

    def bytes(self) -> int:
        """All that has arrived by any line."""
        return self.ask("bytes")

    def close(self) -> None:
        self.process.stdin.close()
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


if __name__ == "__main__":
    # The timers of epoll and poll are rounded up to whole milliseconds; those of select are not.
    runner = asyncio.SelectorEventLoop(selectors.SelectSelector())
    runner.run_until_complete(Switchboard().serve())
    sys.stdout.flush()
    # Whatever is still on its way goes down with the lines.
    os._exit(0)
