"""What arrived at the lab's handsets: the only witness that a benchmark of delivery believes."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPConnection

import msgspec

from smsdesk.bench.rig import BenchError


class _Arrival(msgspec.Struct):
    number: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Arrivals:
    """How many texts arrived, at which seconds since 1970 the first and the last, and which phones got several."""

    count: int
    first: float
    last: float
    several: tuple[str, ...] = ()

    def check(self, wanted: int) -> None:
        """Raises BenchError unless exactly so many texts arrived, each at a phone of its own."""
        if self.several:
            raise BenchError(f"{len(self.several)} phones got their text more than once, such as {self.several[0]}")
        if self.count != wanted:
            raise BenchError(f"{self.count} texts arrived at the handsets, not {wanted}")


def clear(http_port: int) -> None:
    """Empties the handsets."""
    _ask(http_port, "DELETE")


def read_arrivals(http_port: int) -> Arrivals:
    """All texts on the handsets. Raises BenchError where there are fewer than two: they make no rate."""
    lines = _ask(http_port, "GET").splitlines()
    texts = [msgspec.json.decode(line, type=_Arrival) for line in lines]
    if len(texts) < 2:
        raise BenchError(f"{len(texts)} texts arrived at the handsets: too few to measure")
    times = [text.at.timestamp() for text in texts]
    counted = Counter(text.number for text in texts)
    return Arrivals(len(texts), min(times), max(times), tuple(number for number, n in counted.items() if n > 1))


def read_times(http_port: int) -> dict[str, float]:
    """When the text of each phone arrived, in seconds since 1970; the first, where one got several."""
    texts = [msgspec.json.decode(line, type=_Arrival) for line in _ask(http_port, "GET").splitlines()]
    return {text.number: text.at.timestamp() for text in reversed(texts)}


def _ask(http_port: int, method: str) -> bytes:
    connection = HTTPConnection("127.0.0.1", http_port, timeout=60)
    try:
        connection.request(method, "/texts", headers={"Accept": "application/x-ndjson"})
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise BenchError(f"the lab answered {answer.status} to {method} /texts: {body[:200].decode(errors='replace')}")
    return body
