"""The lab as a comparison uses it: one for all, the only witness of what arrived and which receipts were taken."""

import os
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import msgspec

from smsdesk.bench.rig import BenchError, Child


class LabStats(msgspec.Struct, frozen=True):
    """The lab's counters that a comparison looks at."""

    texts: int
    receipts: int
    waiting: int
    """Receipts that were sent and not answered yet, or wait for a line."""
    bound: int

    @property
    def taken(self) -> int:
        """Receipts that the gateway has answered for: from then on they are its own."""
        return self.receipts - self.waiting


class _Arrived(msgspec.Struct):
    number: str


class ComparedLab:
    """A lab that runs."""

    def __init__(self, folder: Path, ends: ExitStack) -> None:
        ready = folder / "lab.json"
        words = ("smsdesk.lab", "--smpp-port", "0", "--http-port", "0", "--ready-file", str(ready))
        child = Child("lab", words, folder, dict(os.environ))
        ends.callback(child.stop)
        ports = msgspec.json.decode(child.wait_for(ready), type=dict[str, Any])
        self.smpp_port: int = ports["smpp_port"]
        self.http_port: int = ports["http_port"]

    def stats(self) -> LabStats:
        """The counters as they are now."""
        return msgspec.json.decode(self._ask("GET", "/stats"), type=LabStats)

    def numbers(self) -> list[str]:
        """The phones that a text reached, one for each text, in order of arrival."""
        lines = self._ask("GET", "/texts").splitlines()
        return [msgspec.json.decode(line, type=_Arrived).number for line in lines]

    def clear(self) -> None:
        """Empties the handsets and the counters."""
        self._ask("DELETE", "/texts")

    def away(self) -> None:
        """Nobody gets through from now on: connections are reset at once."""
        self._ask("PUT", "/faults", {"reset_connect": 1.0})
        self._ask("POST", "/lines/drop", {})

    def back(self) -> None:
        """Who connects gets through again."""
        self._ask("DELETE", "/faults")

    def _ask(self, method: str, path: str, body: object = None) -> bytes:
        connection = HTTPConnection("127.0.0.1", self.http_port, timeout=60)
        try:
            headers = {"Accept": "application/x-ndjson", "Content-Type": "application/json"}
            connection.request(method, path, None if body is None else msgspec.json.encode(body), headers)
            answer = connection.getresponse()
            said = answer.read()
        finally:
            connection.close()
        if answer.status >= 300:
            raise BenchError(f"the lab answered {answer.status} to {method} {path}: {said[:200].decode()}")
        return said
