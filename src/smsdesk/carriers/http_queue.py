"""The texts inside an HTTP line, in their order: one at a time between two numbers. Pure."""

from collections import deque
from collections.abc import Callable, Iterable

from smsdesk.carriers.contract import OutboundText

Pair = tuple[str, str]


class Queue:
    """Texts that wait and texts on the wire.

    Two texts between the same numbers never wait for an answer at once, since requests side by side may overtake each
    other. What may not go yet holds back what is behind it between the same numbers, and nothing else.
    """

    def __init__(self) -> None:
        self._waiting: deque[OutboundText] = deque()
        self._open: set[Pair] = set()

    def __len__(self) -> int:
        """How many are inside."""
        return len(self._waiting) + len(self._open)

    def put(self, texts: Iterable[OutboundText]) -> None:
        """Puts texts behind those that wait."""
        self._waiting.extend(texts)

    def fill(self, start: Callable[[OutboundText], float | None]) -> float:
        """Offers the texts that may go, in order, to `start`, which gives None for one that is on the wire now, 0.0 for
        one that is done with, or the seconds after which it may go. Returns the shortest of these; infinite without."""
        held: set[Pair] = set()
        waiting, self._waiting = self._waiting, deque()
        soonest = float("inf")
        for text in waiting:
            pair = _pair(text)
            pause = float("inf") if pair in held or pair in self._open else start(text)
            if pause is None:
                self._open.add(pair)
            elif pause:
                held.add(pair)
                self._waiting.append(text)
                soonest = min(soonest, pause)
        return soonest

    def end(self, text: OutboundText) -> None:
        """Notes the answer to a text, or that none will come."""
        self._open.discard(_pair(text))

    def take_back(self, behind: OutboundText | None = None) -> list[OutboundText]:
        """Takes out what waits: all of it, or what goes between the numbers of one text."""
        taken: list[OutboundText] = []
        left: deque[OutboundText] = deque()
        for text in self._waiting:
            (taken if behind is None or _pair(text) == _pair(behind) else left).append(text)
        self._waiting = left
        return taken


def _pair(text: OutboundText) -> Pair:
    return text.source, text.destination
