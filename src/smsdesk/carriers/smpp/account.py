"""What the sessions of one carrier share."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
from structlog.typing import FilteringBoundLogger

from smsdesk.carriers.contract import Pace, Sink, Unpaced
from smsdesk.carriers.smpp.config import Config
from smsdesk.carriers.smpp.timers import Flow
from smsdesk.domain.pace import SlidingWindow


def _utc() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a carrier is given beside its settings."""

    clock: Callable[[], float] = time.monotonic
    """Seconds that only grow."""
    now: Callable[[], datetime] = _utc
    """UTC."""
    random: Callable[[], float] = random.random
    """Numbers in 0..1."""
    log: FilteringBoundLogger = field(default_factory=structlog.get_logger)
    pace: Pace = field(default_factory=Unpaced)


@dataclass(frozen=True, slots=True)
class Account:
    """Our account at an SMSC: all of its sessions slow together, and report to one sink."""

    carrier: str
    config: Config
    sink: Sink
    clock: Callable[[], float]
    now: Callable[[], datetime]
    random: Callable[[], float]
    log: FilteringBoundLogger
    flow: Flow
    meanings: Mapping[int, tuple[str, float | None]]
    """What each command_status means here, as `outcomes` says."""
    pace: Pace | None = None
    """None: no limits."""

    def session_name(self) -> str:
        """A name that no earlier session of the carrier had."""
        return f"{self.carrier}/{int(self.random() * 2**40):010x}"

    def limit(self) -> SlidingWindow | None:
        """The limit of one line of its own, where one is set."""
        cap = self.config.segments_per_second
        return SlidingWindow(cap, 1.0) if cap else None
