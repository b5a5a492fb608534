"""What a comparison asks of each gateway."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from smsdesk.bench.compare.lab import ComparedLab

OURS, MESSAGE = "+16285550199", "Your order is ready."


@dataclass(frozen=True, slots=True)
class Place:
    """Where a gateway works: a folder of its own, the lab it sends to, the port that takes its reports. `ends` has what
    ends all that it starts."""

    folder: Path
    lab: ComparedLab
    reports_port: int
    ends: ExitStack


class Peer(Protocol):
    """A gateway that runs. All of it blocks; times are short."""

    port: int
    """Where it takes requests over HTTP; another after each start."""

    def request(self, n: int) -> bytes:
        """The bytes that ask for a text to the n-th phone, with a receipt."""

    def roots(self) -> dict[str, int]:
        """Its processes by name, with all that they started."""

    def hold(self) -> None:
        """From now on it takes texts and sends none."""

    def release(self) -> None:
        """It sends what it has taken."""

    def kill(self) -> None:
        """kill -9 of all processes that accept."""

    def restart(self) -> None:
        """Starts what was killed, as its manual says, and waits until it accepts again."""

    def held(self, numbers: Sequence[str]) -> int:
        """To how many of these phones, that got nothing, it shows its operator a text of an unknown fate."""


class Kind(Protocol):
    """A gateway as it is installed here."""

    name: str
    most_texts: int
    """More are not sent in a measurement to the end: what it brings there in a few seconds."""
    quiet: float
    """Seconds after a kill in which nothing arrives, after which what is missing counts as lost: longer than any wait
    of its own."""
    chunked: bool
    """Whether it answers in chunks."""

    def version(self) -> str:
        """Its version and what it runs on."""

    def start(self, place: Place) -> Peer:
        """Starts it, with nothing in it, until it accepts and its line to the lab is bound."""
