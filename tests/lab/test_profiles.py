"""How a network is on an ordinary day: the distributions, and the same over a real line."""

from collections.abc import Callable
from itertools import pairwise
from random import Random
from statistics import median, quantiles

import pytest

from lab.rig import Rig, running
from smsdesk.lab.profiles import PROFILES, choose, draw, under
from smsdesk.lab.verdict import DROPPED, FINE, Verdict, refused

DRAWS = 4000


def verdicts(name: str, seed: int = 7) -> list[Verdict]:
    random = Random(seed)
    return [under(PROFILES[name], FINE, random) for _ in range(DRAWS)]


def test_the_perfect_one_changes_nothing() -> None:
    assert set(map(repr, verdicts("perfect"))) == {repr(FINE)}


@pytest.mark.parametrize("name", ["office", "mobile", "bad_day"])
@pytest.mark.parametrize("delay", ["answer", "arrival", "receipt"])
def test_delays_are_distributed_as_the_profile_says(name: str, delay: str) -> None:
    profile, random = PROFILES[name], Random(7)
    typical, slow = getattr(profile, f"{delay}_median"), getattr(profile, f"{delay}_p99")
    delays = [draw(typical, slow, random) for _ in range(DRAWS)]
    assert min(delays) > 0
    assert median(delays) == pytest.approx(typical, rel=0.1)
    assert quantiles(delays, n=100)[-1] == pytest.approx(slow, rel=0.35)


SHARES: list[tuple[str, Callable[[Verdict], bool]]] = [
    ("vanish", lambda verdict: not verdict.taken),
    ("lose_answer", lambda verdict: verdict.taken and verdict.answer == "none"),
    ("no_receipt", lambda verdict: verdict.taken and not verdict.receipt),
    ("undeliver", lambda verdict: verdict.stat == "UNDELIV"),
]


@pytest.mark.parametrize(("share", "happened"), SHARES, ids=[case[0] for case in SHARES])
def test_shares_are_those_of_the_profile(share: str, happened: Callable[[Verdict], bool]) -> None:
    count = sum(map(happened, verdicts("bad_day")))
    expected = getattr(PROFILES["bad_day"], share) * DRAWS
    assert abs(count - expected) < 5 * expected**0.5


def test_the_same_seed_is_the_same_day() -> None:
    assert verdicts("bad_day", 1) == verdicts("bad_day", 1) != verdicts("bad_day", 2)


def test_a_day_gets_worse_from_one_profile_to_the_next() -> None:
    names = list(PROFILES)
    for better, worse in pairwise(names):
        assert all(
            getattr(PROFILES[better], number) <= getattr(PROFILES[worse], number)
            for number in PROFILES[better].__struct_fields__
        )


def test_a_fault_stands_and_only_comes_later() -> None:
    random = Random(7)
    assert under(PROFILES["bad_day"], refused(0x0B), random) == refused(0x0B)
    dropped = under(PROFILES["bad_day"], DROPPED, random)
    assert (dropped.connection, dropped.stat) == ("closes", "DELIVRD")
    assert dropped.answer_delay > 0


def test_own_numbers_in_place_of_a_profiles() -> None:
    chosen = choose("mobile", {"undeliver": "0.5"})
    assert (chosen.name, chosen.undeliver, chosen.answer_p99) == ("custom", 0.5, PROFILES["mobile"].answer_p99)
    for name, own in (("tuesday", {}), ("mobile", {"undelivery": 1}), ("mobile", {"undeliver": 2})):
        with pytest.raises(ValueError, match=next(iter(own), name)):
            choose(name, own)


async def test_a_profile_is_chosen_while_the_lab_runs(rig: Rig) -> None:
    assert (await rig.get("/profile"))["name"] == "perfect"
    assert list(await rig.get("/profiles")) == ["perfect", "office", "mobile", "bad_day"]
    numbers = {"name": "perfect", "arrival_median": 0.1, "undeliver": 1}
    chosen = await rig.http.put("/profile", json=numbers)
    assert (chosen.status_code, chosen.json()["name"]) == (200, "custom")
    esme = await rig.bound()
    esme.send(esme.submit_sm(b"hello", registered_delivery=1))
    assert len(await esme.passed()) == 1
    assert b"stat:UNDELIV" in (await esme.delivered()).short_message
    refused = await rig.http.put("/profile", json={"name": "tuesday"})
    assert refused.json() == {
        "message": "there is no profile 'tuesday': choose one of perfect, office, mobile, bad_day"
    }


async def test_a_lab_that_starts_on_a_bad_day_throttles() -> None:
    async with running(profile=choose("bad_day", {"answer_median": 0, "lose_answer": 0, "vanish": 0})) as rig:
        esme = await rig.bound()
        esme.send(*[esme.submit_sm(b"%d" % n) for n in range(150)])
        refusals = [pdu for pdu in await esme.passed() if pdu.command_status == 0x58]
        assert 50 <= len(refusals) <= 100  # 50 a second pass, and the 150 may fall into two of them
