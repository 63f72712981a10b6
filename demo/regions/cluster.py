"""Three regions under a demonstration's control: nodes on loopback, every way between two of them through `Links`."""

import json
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from links import Links  # noqa: E402
from node import Node, free_port  # noqa: E402


class Cluster:
    """A node in each region, in a folder; the first region's node founds the cluster."""

    def __init__(self, binary, folder: pathlib.Path, round_trips, configuration: str = ""):
        """`round_trips`: milliseconds by pair of regions. Where they are all 0 the nodes reach each other directly."""
        self.folder = folder
        self.binary = pathlib.Path(binary)
        self.round_trips = round_trips
        self.links = Links(round_trips) if any(round_trips.values()) else None
        self.regions = list(dict.fromkeys(region for pair in round_trips for region in pair))
        self.peer_ports = {region: free_port() for region in self.regions}
        self.nodes = {}
        for region in self.regions:
            (folder / region).mkdir()
            node = Node(binary, folder / region, configuration)
            node.arguments = ["--listen-peers", f"127.0.0.1:{self.peer_ports[region]}"]
            self.nodes[region] = node

    def round_trip(self, one: str, other: str) -> float:
        """Milliseconds."""
        return 0.0 if one == other else self.round_trips.get((one, other)) or self.round_trips[(other, one)]

    def way(self, caller: str, called: str) -> int:
        """The port by which a region reaches another."""
        port = self.peer_ports[called]
        return self.links.route(caller, called, port) if self.links else port

    def form(self) -> float:
        """Starts all nodes as members of one cluster; answers the seconds until all are ready."""
        began = time.monotonic()
        self.isobar("cluster", "init")
        for number, region in enumerate(self.regions, 1):
            self.isobar("cluster", "invite", "--region", region)
            node = self.nodes[region]
            ways = {other: f"127.0.0.1:{self.way(region, other)}" for other in self.regions if other != region}
            for other, address in ways.items():
                node.arguments += ["--peer", f"{other}={address}"]
            once = ["--invitation", self.folder / f"node-{number}-{region}.invitation"]
            if number > 1:
                once += ["--join", ways[self.regions[0]]]
            later, node.arguments = node.arguments, node.arguments + once
            node.start()
            node.arguments = later
        self.settle()
        return time.monotonic() - began

    def isobar(self, *arguments) -> str:
        """Runs a command of the binary in the cluster's folder; answers what it prints."""
        run = subprocess.run([self.binary, *arguments], cwd=self.folder, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True)
        if run.returncode != 0:
            raise RuntimeError(f"isobar {' '.join(map(str, arguments))}: {run.stdout.strip()}")
        return run.stdout

    def alive(self):
        """The nodes whose processes run."""
        return {region: node for region, node in self.nodes.items()
                if node.process is not None and node.process.poll() is None}

    def status(self, region=None):
        """GET /v1/cluster of a region, or of any that answers."""
        complaint = "no node runs"
        for node in [self.nodes[region]] if region else self.alive().values():
            try:
                status, _, body = node.request("GET", "/v1/cluster", timeout=5)
                if status == 200:
                    return json.loads(body)
                complaint = body.decode(errors="replace")
            except OSError as error:
                complaint = str(error)
        raise RuntimeError(f"no region tells its status: {complaint}")

    def members(self, region=None):
        """What `status` says of each region's node, by region."""
        return {node["region"]: node for node in self.status(region)["nodes"]}

    def leader(self):
        """The region that leads, or None."""
        return next((region for region, node in self.members().items() if node["leader"] and node["reachable"]), None)

    def settle(self, patience: float = 30.0) -> None:
        """Waits until one node leads, all have a vote, hold leases and lack nothing."""
        end = time.monotonic() + patience
        members = {}
        while time.monotonic() < end:
            members = self.members()
            followers = [node for node in members.values() if not node["leader"]]
            if (len(members) == len(self.regions) and len(followers) == len(members) - 1
                    and all(node["reachable"] and node["role"] == "voter" for node in members.values())
                    and all(node["lease_ms"] and not node["lag_entries"] for node in followers)):
                return
            time.sleep(0.05)
        raise RuntimeError(f"the cluster has not come to rest within {patience:.0f} s: {json.dumps(members)}")

    def recover(self, region: str, index: int, patience: float = 60.0) -> None:
        """Waits until a region has applied the journal up to `index`, and reads locally."""
        end = time.monotonic() + patience
        member = {}
        while time.monotonic() < end:
            member = self.members().get(region, {})
            if (member.get("applied_index") or 0) >= index and (member["lease_ms"] or member["leader"]):
                return
            time.sleep(0.02)
        raise RuntimeError(f"{region} has not caught up within {patience:.0f} s: {json.dumps(member)}")

    def lead(self, region: str, patience: float = 30.0) -> None:
        """Has a region lead."""
        end = time.monotonic() + patience
        while self.leader() != region:
            if time.monotonic() > end:
                raise RuntimeError(f"{region} has not become the leader within {patience:.0f} s")
            try:
                self.isobar("cluster", "transfer", region, "--url", self.nodes[region].url)
            except RuntimeError:
                # Another node may have won the election: the command says so, and can be given again.
                time.sleep(0.2)
        self.settle()

    def stop(self, at_once: bool = False) -> None:
        """SIGTERM to all, or `kill -9`."""
        for node in self.alive().values():
            node.kill() if at_once else node.process.terminate()
        for node in self.nodes.values():
            node.stop()
        if self.links:
            self.links.close()


def percentile(times, share: float) -> float:
    """Of times that need not be in order; not a number when there are none."""
    times = sorted(times)
    return times[min(len(times) - 1, int(share * len(times)))] if times else float("nan")
