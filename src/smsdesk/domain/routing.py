"""Who is asked to take a chat that waits: decided from the queue's settings and from who was asked before."""

from collections.abc import Callable
from dataclasses import dataclass

from smsdesk.domain.queue_settings import QueueSettings

MOST_ASKED = 50
"""Agents who are asked at once at most: the longest idle. The others' desks would only flicker."""


@dataclass(frozen=True, slots=True)
class Cast:
    """One round of asking."""

    groups: tuple[int, ...]
    """The numbers of the groups that are asked, from 1."""
    most: int
    """How many agents at most."""
    reserves: bool
    """Whether the offer takes one of the agent's places while it is open, for nobody else is asked meanwhile."""
    seconds: int
    """How long until it is over."""
    group_name: str | None = None
    """The group that this round is about, where the queue has groups."""


def plan_cast(settings: QueueSettings, round_: int, chance: Callable[[], float]) -> Cast:
    """The round number `round_` (from 0) of asking for a chat in a queue of these settings; `chance` gives numbers in
    0..1."""
    groups = settings.groups
    every = tuple(range(1, max(1, len(groups)) + 1))
    match settings.routing:
        case "multicast":
            return Cast(every, MOST_ASKED, reserves=False, seconds=settings.offer_seconds)
        case "cascade" if groups:
            reached = min(round_, len(groups) - 1)
            group = groups[reached]
            return Cast(every[: reached + 1], MOST_ASKED, reserves=False, seconds=group.seconds, group_name=group.name)
        case "percent_allocation" if groups and round_ == 0:
            number = _allot([group.percent for group in groups], chance())
            return Cast((number,), 1, True, settings.offer_seconds, groups[number - 1].name)
        case "cascade":
            return Cast(every, MOST_ASKED, reserves=False, seconds=settings.offer_seconds)
        case _:
            return Cast(every, 1, reserves=True, seconds=settings.offer_seconds)


def _allot(shares: list[int], number: float) -> int:
    """The group, from 1, that a number in 0..1 falls to when each has its share of the line."""
    left = number * sum(shares)
    for index, share in enumerate(shares, 1):
        left -= share
        if left < 0:
            return index
    return len(shares)
