"""What an ESME that others wrote can be asked to do, whichever it is, and the lab that it speaks with."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Protocol, TypeVar
from urllib.parse import parse_qsl, urlsplit

import httpx

from tests.lab.process import LabProcess
from tests.peers.cases import NUMBER

T = TypeVar("T")
PATIENCE = 15.0


class Outcome(NamedTuple):
    """`delivered`, `undelivered` or `refused`, with the receipt's words where there was one."""

    kind: str
    words: str


class Got(NamedTuple):
    """A text from a phone as the ESME handed it over; octets in hexadecimal where it is none."""

    source: str
    destination: str
    body: str


class ForeignEsme(Protocol):
    """An ESME that runs, with a transceiver line `whole` and the two lines `pair`."""

    name: str

    def send(self, body: str, to: str, source: str, *, line: str = "whole", kind: str = "") -> str:
        """Submits a text, `binary` (then in hexadecimal) or `flash` by its kind; gives a tag for its outcome."""

    def outcomes(self, tag: str) -> list[Outcome]:
        """What it learned of a text so far."""

    def texts(self) -> list[Got]:
        """The texts from phones so far, in order."""

    def refused_binds(self) -> int:
        """How often it was told that it may not bind."""


def soon(condition: Callable[[], T], what: str, seconds: float = PATIENCE) -> T:
    """The first true value of the condition; AssertionError with what was awaited after so many seconds."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.02)
    return found


class Listener:
    """An HTTP server that keeps the fields of what is asked of it, by path."""

    def __init__(self) -> None:
        self.port = 0
        self.tags: list[str] = []
        self._asked: list[tuple[str, dict[str, str]]] = []

    def of(self, path: str) -> list[dict[str, str]]:
        """The fields of the requests for this path so far. Values are octets, as Latin-1 reads them."""
        return [fields for asked, fields in self._asked if asked == path]

    @contextmanager
    def listening(self) -> Iterator["Listener"]:
        """Listens on a free port."""
        keep = self._asked.append

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                keep((parts.path, dict(parse_qsl(parts.query, keep_blank_values=True, encoding="latin-1"))))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            self.port = server.server_address[1]
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()


class LabSide:
    """The lab's end of a conversation."""

    def __init__(self, process: LabProcess) -> None:
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{process.http_port}", timeout=10.0)

    def close(self) -> None:
        """Ends the test's side."""
        self.http.close()

    def get(self, path: str) -> Any:
        """What a GET says."""
        answer = self.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def texts(self, number: str) -> list[dict[str, Any]]:
        """What is on a phone."""
        found: list[dict[str, Any]] = self.get(f"/handsets/{number}/texts")
        return found

    def arrived(self, number: str, count: int = 1) -> list[dict[str, Any]]:
        """What is on a phone once so many texts are."""
        soon(lambda: len(self.texts(number)) >= count, f"{count} texts on the phone")
        return self.texts(number)

    def put(self, path: str, **values: Any) -> None:
        """Replaces faults or dialect."""
        answer = self.http.put(path, json=values)
        assert answer.status_code == 200, answer.text

    def replies(self, number: str) -> list[dict[str, Any]]:
        """What was typed at a phone."""
        found: list[dict[str, Any]] = self.get(f"/handsets/{number}/replies")
        return found

    def type(self, number: str, body: str, encoding: str | None = None, to: str = NUMBER) -> dict[str, Any]:
        """Somebody types at a phone; gives the reply as it stands."""
        typed = {"body": body, "to": to, "encoding": encoding}
        answer = self.http.post(f"/handsets/{number}/reply", json=typed)
        assert answer.status_code == 201, answer.text
        reply: dict[str, Any] = answer.json()
        return reply

    def lines(self, system_id: str) -> list[dict[str, Any]]:
        """The bound lines of a system."""
        return [line for line in self.get("/lines") if line["system_id"] == system_id and line["session"]]

    def end_lines(self, system_id: str | None = None, *, unbind: bool = False) -> None:
        """Ends the lines of a system, or all."""
        answer = self.http.post("/lines/drop", json={"system_id": system_id, "unbind": unbind})
        assert answer.json()["dropped"] >= 1
