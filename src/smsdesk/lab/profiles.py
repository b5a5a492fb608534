"""How a network behaves on an ordinary day: delays and losses as distributions. Invented, to the scale of real ones."""

from collections.abc import Mapping
from dataclasses import replace
from math import exp, log
from random import Random

import msgspec

from smsdesk.lab.faults import Count, Seconds, Share
from smsdesk.lab.verdict import Verdict

_P99 = 2.326
"""How many standard deviations above the mean 99 of 100 values of a normal distribution end."""


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One network. A delay is given by its median and by what 99 of 100 do not exceed, in seconds (log-normal)."""

    answer_median: Seconds = 0.0
    answer_p99: Seconds = 0.0
    arrival_median: Seconds = 0.0
    """From the text's coming in to its being on the phone."""
    arrival_p99: Seconds = 0.0
    receipt_median: Seconds = 0.0
    """From its being on the phone to the receipt."""
    receipt_p99: Seconds = 0.0
    lose_answer: Share = 0.0
    vanish: Share = 0.0
    throttle_above: Count = 0
    """Texts or parts a second of one system."""
    undeliver: Share = 0.0
    no_receipt: Share = 0.0


PERFECT = Profile()
PROFILES = {
    "perfect": PERFECT,
    "office": Profile(
        answer_median=0.004,
        answer_p99=0.02,
        arrival_median=0.05,
        arrival_p99=0.2,
        receipt_median=0.05,
        receipt_p99=0.2,
        undeliver=0.001,
    ),
    "mobile": Profile(
        answer_median=0.03,
        answer_p99=0.25,
        arrival_median=0.8,
        arrival_p99=6.0,
        receipt_median=0.4,
        receipt_p99=4.0,
        undeliver=0.02,
        no_receipt=0.005,
    ),
    "bad_day": Profile(
        answer_median=0.15,
        answer_p99=4.0,
        arrival_median=2.0,
        arrival_p99=60.0,
        receipt_median=1.5,
        receipt_p99=45.0,
        lose_answer=0.01,
        vanish=0.005,
        throttle_above=50,
        undeliver=0.08,
        no_receipt=0.03,
    ),
}


class ChosenProfile(Profile, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A profile under its name."""

    name: str
    """`custom` where a person has changed some numbers."""

    @property
    def is_perfect(self) -> bool:
        """Whether it changes nothing."""
        return self.name == "perfect"


def choose(name: str, own: Mapping[str, object]) -> ChosenProfile:
    """The profile of that name with some numbers changed. ValueError for a name that is none and a number that is
    none of a profile's or out of its range."""
    if name not in PROFILES:
        raise ValueError(f"there is no profile {name!r}: choose one of {', '.join(PROFILES)}")
    if unknown := [field for field in own if field not in Profile.__struct_fields__]:
        raise ValueError(f"a profile has no {unknown[0]!r}: choose among {', '.join(Profile.__struct_fields__)}")
    numbers = msgspec.to_builtins(PROFILES[name]) | dict(own)
    return msgspec.convert(numbers | {"name": "custom" if own else name}, ChosenProfile, strict=False)


def draw(median: float, p99: float, random: Random) -> float:
    """A delay in seconds; the same each time where `p99` is not above the median."""
    if p99 <= median or not median:
        return median
    return exp(log(median) + random.gauss(0, 1) * log(p99 / median) / _P99)


def under(profile: Profile, verdict: Verdict, random: Random) -> Verdict:
    """What an ordinary day makes of a text that no fault has stopped: its delays come on top, its shares draw."""
    if verdict.status:
        return verdict
    later = replace(
        verdict,
        answer_delay=verdict.answer_delay + draw(profile.answer_median, profile.answer_p99, random),
        arrival_delay=verdict.arrival_delay + draw(profile.arrival_median, profile.arrival_p99, random),
        receipt_delay=verdict.receipt_delay + draw(profile.receipt_median, profile.receipt_p99, random),
    )
    if not verdict.is_plain:
        return later
    if random.random() < profile.vanish:
        return replace(later, arrives=False, answer="none", receipt=False)
    if random.random() < profile.lose_answer:
        later = replace(later, answer="none")
    if random.random() < profile.no_receipt:
        later = replace(later, receipt=False)
    if random.random() < profile.undeliver:
        later = replace(later, arrives=False, stat="UNDELIV", err="001")
    return later
