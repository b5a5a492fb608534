"""How often a credential may ask: a token bucket for each, of one second's worth, one over all processes of a machine.

A bucket is one number: the moment at which it will be full again (the generic cell rate algorithm, ITU-T I.371). So it
fits beside its key into memory that several processes see, and a bucket that is full needs no place.
"""

import fcntl
import mmap
import os
import tempfile
from collections.abc import Callable

SLOTS, NEAR = 4096, 8
"""How many buckets there are, and in how many places one may be. Where all of these are taken by credentials that asked
within the last second, the one that is full soonest is forgotten, and its credential has a full one again."""
ENTRY = 16
TRIES = 100
"""How often the lock is asked for: it is held for microseconds, and a process that was stopped with it stops nobody."""
EXACT = 1e-6
"""Seconds by which sums of many small shares may be wrong."""


class Buckets:
    """The moments at which buckets are full again, as pairs of a key and a moment."""

    def __init__(self, shared: int | None = None) -> None:
        """`shared` is a descriptor of `shared_memory` that other processes have as well; None is this process only."""
        self._shared = shared
        self._locked = False
        memory = bytearray(SLOTS * ENTRY) if shared is None else mmap.mmap(shared, SLOTS * ENTRY)
        self._keys, self._full = memoryview(memory).cast("q"), memoryview(memory).cast("d")

    def __enter__(self) -> None:
        """Nobody else looks at a bucket in the block. The lock is the process's own, and goes with it (fcntl(2))."""
        self._locked = self._shared is not None and any(_lock(self._shared) for _ in range(TRIES))

    def __exit__(self, *_: object) -> None:
        if self._locked and self._shared is not None:
            fcntl.lockf(self._shared, fcntl.LOCK_UN)

    def find(self, key: int) -> tuple[int, float]:
        """The place of a key's bucket, or the one that it gets, and when it is full: 0.0 for one that is new."""
        for near in range(NEAR):
            place = (key + near) % SLOTS * 2
            if self._keys[place] == key:
                return place, self._full[place + 1]
        places = ((key + near) % SLOTS * 2 for near in range(NEAR))
        return min(places, key=lambda place: self._full[place + 1]), 0.0

    def put(self, place: int, key: int, full: float) -> None:
        """Keeps it there."""
        self._keys[place], self._full[place + 1] = key, full


class RateLimiter:
    """Allows `per_second` requests a second to each key, with as many at once; 0 allows all."""

    def __init__(self, now: Callable[[], float], buckets: Buckets | None = None) -> None:
        """`now` is a clock that all processes with the same buckets share, as time.monotonic is on one machine."""
        self._now = now
        self._buckets = buckets or Buckets()

    def wait(self, key: int, per_second: int) -> float:
        """Takes a token: 0.0 where there was one, else the seconds until there is."""
        if not per_second:
            return 0.0
        with self._buckets:
            now = self._now()
            place, full = self._buckets.find(key)
            full = max(full, now) + 1 / per_second
            wait = full - now - 1
            if wait > EXACT:
                return wait
            self._buckets.put(place, key, full)
        return 0.0


def shared_memory() -> int:
    """Memory for `Buckets`, as a descriptor that processes inherit."""
    if hasattr(os, "memfd_create"):
        shared = os.memfd_create("smsdesk-limits")
    else:
        with tempfile.TemporaryFile() as file:
            shared = os.dup(file.fileno())
    os.ftruncate(shared, SLOTS * ENTRY)
    return shared


def _lock(shared: int) -> bool:
    try:
        fcntl.lockf(shared, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.sched_yield()
        return False
    return True
