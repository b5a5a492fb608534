"""Times of many requests, in the few figures that people compare."""

import math
from collections.abc import Iterable

import msgspec


class Latency(msgspec.Struct, frozen=True):
    """Milliseconds. `p99_ms` is the time that 99 of 100 stayed within; all are 0 when nothing was measured."""

    p50_ms: float = 0.0
    p90_ms: float = 0.0
    p99_ms: float = 0.0
    max_ms: float = 0.0


def summarize(nanoseconds: Iterable[int]) -> Latency:
    """The figures of these times, by the nearest-rank rule: each is a time that was really measured."""
    times = sorted(nanoseconds)
    if not times:
        return Latency()
    ranks = (math.ceil(len(times) * share) - 1 for share in (0.50, 0.90, 0.99, 1.0))
    return Latency(*(round(times[rank] / 1e6, 3) for rank in ranks))
