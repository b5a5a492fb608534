"""Our client against our lab: what only a whole carrier shows."""

import time

import pytest

from smsdesk.carriers.contract import Accepted
from tests.kit.lab import running_lab

from .rig import line, outbound


@pytest.mark.slow
async def test_a_limit_of_ten_a_second_is_found_and_kept() -> None:
    """R15 in short: after the first second no more than the lab takes, nothing lost, the order kept."""
    async with running_lab() as lab:
        await lab.faults(throttle_above=10)
        async with line(lab.smpp_port, window=20, throttle_first=1.0, throttle_longest=5.0) as running:
            begun, sent, total = time.monotonic(), 0, 75
            while sent < total:
                await running.bound()
                batch = [
                    outbound(sent + n, f"text {sent + n}") for n in range(min(running.carrier.room(), total - sent))
                ]
                running.carrier.send(batch)
                sent += len(batch)
            await running.ledger.until(lambda: len(running.ledger.outcomes) == total)
            took = time.monotonic() - begun
        outcomes = [outcome for _, outcome in running.ledger.outcomes]
        assert {type(outcome) for outcome in outcomes} == {Accepted}
        arrived = [text["body"] for text in await lab.all_texts()]
        assert arrived == [f"text {n}" for n in range(total)]
        assert total / 11 - 1 < took < total / 9 + 4
