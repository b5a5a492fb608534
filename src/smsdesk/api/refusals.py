"""Refusals, some in each turn of the loop, so that whoever was let in does not wait for those who were not."""

import asyncio
from collections import deque
from collections.abc import Callable

IN_A_TURN = 128
"""Some two milliseconds. From its reading to its answer a send takes about six turns of the loop: with fewer in each, a
flood is not refused as quickly as it comes; with more, sends wait for refusals."""


class Refusals:
    """Says when one more may be given; the others stand in line, and their clients with them.

    A turn of the loop reads from all who have written. Were all of those answered in it who are turned away, each of
    the turns that a send takes would be as long as the flood is wide (docs/adr/0035-overload.md).
    """

    def __init__(self) -> None:
        self._line: deque[Callable[[], None]] = deque()
        self._given = 0
        self._turning = False

    @property
    def in_line(self) -> int:
        """How many stand in line."""
        return len(self._line)

    def may_give(self) -> bool:
        """Whether there is time for one more in this turn, which is taken then."""
        if self._line or self._given >= IN_A_TURN:
            return False
        self._given += 1
        self._turn_soon()
        return True

    def give_later(self, give: Callable[[], None]) -> None:
        """Calls `give` in its turn."""
        self._line.append(give)
        self._turn_soon()

    def _turn_soon(self) -> None:
        if not self._turning:
            self._turning = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._turning = False
        self._given = min(len(self._line), IN_A_TURN)
        for _ in range(self._given):
            self._line.popleft()()
        if self._given:
            self._turn_soon()
