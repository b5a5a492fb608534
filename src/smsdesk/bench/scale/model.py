"""What so many cores give, from what a send and a text cost: the arithmetic of docs/scale.md.

It has one assumption: that the CPU for each stays what it is. `bench scale` measures beside each prediction how far
that is true on few cores.
"""

import math

import msgspec

USED = 0.7
"""The share of its cores that a server may be planned to use: the rest is for hours that are not like the others."""
SIZES = (2, 4, 8, 16, 32)


class Costs(msgspec.Struct, frozen=True):
    """CPU in microseconds for each accepted send and each text delivered with its receipt, and octets of log for both
    together. `generator` and `lab` are those of the bench, which has them on the same cores."""

    api: float
    accepting: float
    """PostgreSQL, for an accepted send."""
    worker: float
    delivering: float
    """PostgreSQL, for a delivered text."""
    log: float
    generator: float = 0.0
    lab: float = 0.0

    @property
    def postgresql(self) -> float:
        """For a text from its request to its receipt."""
        return self.accepting + self.delivering

    @property
    def ours(self) -> float:
        """For a text from its request to its receipt, in all of our processes and PostgreSQL."""
        return self.api + self.worker + self.postgresql


class Size(msgspec.Struct, frozen=True):
    """A machine, or several: texts a second from request to receipt that its cores give at USED, and who needs them."""

    cores: int
    per_second: float
    api: int
    """Processes of the API."""
    workers: int
    """Processes that deliver."""
    postgresql: float
    """Cores of PostgreSQL."""
    log_mb: float
    """Megabytes of log a second."""


def accepted(costs: Costs, processes: int, cores: float) -> float:
    """Sends a second: a process has one core at most, and all of them share the cores with the load generator."""
    return _least(processes, costs.api, cores, costs.api + costs.accepting + costs.generator)


def delivered(costs: Costs, workers: int, cores: float) -> float:
    """Texts a second from the queue to the recorded receipt, the lab on the same cores."""
    return _least(workers, costs.worker, cores, costs.worker + costs.delivering + costs.lab)


def both(costs: Costs, cores: float) -> float:
    """Texts a second from request to receipt, by one process of the API and one that delivers."""
    return _least(1, max(costs.api, costs.worker), cores, costs.ours + costs.generator + costs.lab)


def _least(processes: int, own: float, cores: float, of_all: float) -> float:
    return 1e6 * min(processes / own, cores / of_all)


def size(costs: Costs, cores: int) -> Size:
    """What so many cores give."""
    rate = USED * cores * 1e6 / costs.ours

    def of(us: float) -> float:
        return rate * us / (USED * 1e6)

    return Size(
        cores, round(rate), math.ceil(of(costs.api)), math.ceil(of(costs.worker)), round(of(costs.postgresql), 1),
        round(rate * costs.log / 1e6, 1),
    )  # fmt: skip
