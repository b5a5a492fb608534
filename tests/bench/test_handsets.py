"""A benchmark of delivery believes the handsets, and tells when they got too many texts or too few."""

from collections.abc import Iterator

import pytest

from smsdesk.bench.bare_line import feed
from smsdesk.bench.handsets import Arrivals, clear, read_arrivals
from smsdesk.bench.rig import BenchError
from tests.lab.process import LabProcess

OURS = "+16285550199"
PHONES = [f"+1415555{n:04}" for n in range(300)]


@pytest.fixture
def lab() -> Iterator[LabProcess]:
    with LabProcess() as process:
        yield process


async def test_the_bare_line_brings_every_text_once(lab: LabProcess) -> None:
    await feed(lab.smpp_port, OURS, PHONES, "hello")
    arrivals = read_arrivals(lab.http_port)
    arrivals.check(300)
    assert arrivals.first < arrivals.last
    with pytest.raises(BenchError, match="300 texts arrived at the handsets, not 301"):
        arrivals.check(301)
    clear(lab.http_port)
    with pytest.raises(BenchError, match="0 texts arrived"):
        read_arrivals(lab.http_port)


async def test_a_phone_that_got_its_text_twice_is_told(lab: LabProcess) -> None:
    await feed(lab.smpp_port, OURS, [*PHONES, PHONES[7]], "hello")
    with pytest.raises(BenchError, match=r"1 phones got their text more than once, such as \+14155550007"):
        read_arrivals(lab.http_port).check(301)


async def test_a_text_that_is_not_taken_ends_the_measurement(lab: LabProcess) -> None:
    with pytest.raises(BenchError, match="the bare line: text 1: Refused"):
        await feed(lab.smpp_port, OURS, [PHONES[0], "+" + "1" * 30], "hello")


def test_one_time_for_all_is_counted() -> None:
    with pytest.raises(BenchError, match="2 texts arrived at the handsets, not 3"):
        Arrivals(2, 1.0, 1.0).check(3)
