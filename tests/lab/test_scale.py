"""Thousands of handsets: lists in pages, memory within bounds, and no step that grows with all that is there."""

import time
from collections.abc import Callable

from lab.rig import Rig, running
from smsdesk.lab.handsets import Handsets
from smsdesk.lab.submission import Submission

HANDSETS = 5000


def fill(handsets: Handsets, count: int, rounds: int = 1) -> None:
    for _ in range(rounds):
        for number in range(count):
            text = Submission("smpp", "acme", "+16285550199", f"+1415{number:07}", "hello", "gsm7")
            handsets.keep(text, ("id",), (1,), 1.0, 1.0)


def seconds(action: Callable[[], object]) -> float:
    """The best of five."""
    times = []
    for _ in range(5):
        began = time.process_time()
        action()
        times.append(time.process_time() - began)
    return min(times)


def test_a_text_costs_the_same_beside_many_handsets_as_beside_few() -> None:
    few, many = Handsets(), Handsets()
    fill(few, 50)
    fill(many, HANDSETS)
    ratio = seconds(lambda: fill(many, 50, 40)) / seconds(lambda: fill(few, 50, 40))
    assert ratio < 3, f"{HANDSETS} handsets make a text {ratio:.1f} times as dear as 50"


def test_a_page_of_many_handsets_costs_little_more_than_their_number() -> None:
    few, many = Handsets(), Handsets()
    fill(few, HANDSETS // 10)
    fill(many, HANDSETS)
    ratio = seconds(lambda: many.latest("", 0, 50)) / seconds(lambda: few.latest("", 0, 50))
    assert ratio < 30, f"10 times the handsets make a page {ratio:.0f} times as dear"


def test_what_is_kept_stays_within_its_bound() -> None:
    handsets = Handsets(limit=1000)
    fill(handsets, HANDSETS, 2)
    assert len(handsets) <= 1000
    assert sum(len(handset.texts) for handset in handsets.by_number.values()) == len(handsets)
    assert len(handsets.by_number) <= 1000
    assert handsets.evicted + len(handsets) == handsets.last_index == 2 * HANDSETS


async def test_thousands_of_handsets_over_a_line_and_in_pages() -> None:
    async with running() as rig:
        esme = await rig.bound()
        for start in range(0, HANDSETS, 500):
            numbers = range(start, start + 500)
            esme.send(*[esme.submit_sm(b"hello", destination_addr=f"1415{number:07}") for number in numbers])
            await esme.passed()
        assert (await rig.stats())["texts"] == HANDSETS
        seen = [number for page in range(10) for number in await page_of(rig, page * 500)]
        assert len(set(seen)) == len(seen) == HANDSETS
        assert seen[0] == f"+1415{HANDSETS - 1:07}"
        await esme.submit(b"again", destination_addr="14150000007")
        assert (await page_of(rig, 0))[0] == "+14150000007"


async def page_of(rig: Rig, after: int) -> list[str]:
    answer = await rig.http.get("/handsets", params={"after": after, "limit": 500})
    assert answer.headers["x-total"] == str(HANDSETS)
    return [handset["number"] for handset in answer.json()]


async def test_a_search_by_a_piece_of_the_number(rig: Rig) -> None:
    esme = await rig.bound()
    for number in ("14155550100", "14155550111", "16285550111"):
        await esme.submit(b"hello", destination_addr=number)
    answer = await rig.http.get("/handsets", params={"search": "0111", "limit": 1})
    assert [handset["number"] for handset in answer.json()] == ["+16285550111"]
    assert answer.headers["x-total"] == "2"
    assert await rig.get("/handsets?search=999") == []
