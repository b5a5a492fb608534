"""Holds a log of what arrived against a limit, knowing nothing of whoever kept the limit."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arrival:
    """Segments that reached the handset's side at a moment, in seconds."""

    at: float
    segments: int = 1


@dataclass(frozen=True, slots=True)
class Passed:
    """A window in which more arrived than the limit lets through."""

    begins: float
    segments: int


def first_passed(arrivals: Sequence[Arrival], cap: int, seconds: float) -> Passed | None:
    """The first window of `seconds`, its end left out, with more than `cap` segments; None where no window has.

    `arrivals` are in the order of their times. A window with too many can be moved until it begins with an arrival, so
    those that begin with one are all that need a look.
    """
    inside = last = 0
    for arrival in arrivals:
        while last < len(arrivals) and arrivals[last].at < arrival.at + seconds:
            inside += arrivals[last].segments
            last += 1
        if inside > cap:
            return Passed(arrival.at, inside)
        inside -= arrival.segments
    return None


def used(arrivals: Sequence[Arrival], cap: int, seconds: float) -> float:
    """The share of the limit that was used: 1.0 is all that it lets through.

    It is counted from the first arrival after one window to the first of the last window, so that what comes in bunches
    is counted by whole bunches.
    """
    if not arrivals:
        return 0.0
    begin = next((one.at for one in arrivals if one.at >= arrivals[0].at + seconds), arrivals[-1].at)
    end = next(one.at for one in arrivals if one.at > arrivals[-1].at - seconds)
    if end <= begin:
        return min(sum(one.segments for one in arrivals) / cap, 1.0)
    return sum(one.segments for one in arrivals if begin <= one.at < end) / (cap * (end - begin) / seconds)
