"""kill -9 of every part in the middle of the work: nothing that was accepted is lost, and nothing is sent twice.

What is counted is what the handsets got. SMSDESK_TEST_SEED=N gives a run again, as far as chance of ours goes.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from smsdesk.postgres import open_cluster
from tests.faults.census import ask, assert_once, assert_whole, in_flight, text_states
from tests.faults.sending import Sending, body, over, two
from tests.kit.cluster import kill_server, own_folder
from tests.kit.demo_setup import Client, client_of, consumer, set_up
from tests.kit.lab import Handsets, running_lab
from tests.kit.processes import Server, serving, until

pytestmark = pytest.mark.slow

SENDS = 5_000
REPLIERS = 200
SETTLED = 60.0
"""Seconds for the last receipts, and for a dead node's texts to become doubtful: a node lives 10 s."""


@dataclass
class Scene:
    """A server on an embedded PostgreSQL that is its own to keep alive, and a lab."""

    folder: Path
    server: Server
    client: Client
    handsets: Handsets

    @property
    def dsn(self) -> str:
        """The database, wherever it is now."""
        return open_cluster(self.folder).dsn()

    async def settled(self, seconds: float = SETTLED) -> None:
        """Returns when no text is on its way any more."""

        async def none() -> bool:
            return await in_flight(self.dsn) == 0

        await until(none, seconds, "every text at its end or doubtful")


@asynccontextmanager
async def scene(**more: object) -> AsyncIterator[Scene]:
    """A fresh one, with nothing left behind."""
    with own_folder() as folder:
        async with running_lab() as handsets, serving(folder) as server:
            token = await set_up(open_cluster(folder).dsn(), folder, handsets.smpp_port, **more)
            async with client_of(server.base_url, token) as client:
                yield Scene(folder, server, client, handsets)


async def strike(scene: Scene, sending: Sending, plan: list[tuple[int, str]]) -> None:
    """Does what the plan says as soon as so many sends are accepted."""
    for accepted, what in plan:
        await until(partial(sending.has, accepted), 60.0, f"{accepted} accepted, to kill the {what}")
        if what == "server":
            scene.server.kill()
            await scene.server.start()
        elif what == "postgres":
            kill_server(scene.folder)
        else:
            await until(scene.handsets.drop_lines, 30.0, "a line to drop")


def make_plan(random: Random) -> list[tuple[int, str]]:
    """When what is killed: each at another moment of the sends."""
    what = ["server"] * 3 + ["postgres"] * 2 + ["line"] * 5
    random.shuffle(what)
    return list(zip(sorted(random.sample(range(SENDS // 50, SENDS - SENDS // 50), len(what))), what, strict=True))


async def test_no_kill_loses_a_text_or_sends_one_twice() -> None:
    seed = int(os.environ.get("SMSDESK_TEST_SEED") or Random().randrange(1_000_000))
    plan = make_plan(Random(seed))
    replay = f"SMSDESK_TEST_SEED={seed}, {plan}"
    print(replay)
    async with scene(window=200) as here:
        await here.handsets.faults(answer_delay=0.02)
        for number in range(REPLIERS):
            await here.handsets.answer_all(consumer(number), f"reply {number}")
        sending = Sending(here.client, SENDS)
        async with asyncio.TaskGroup() as group:
            group.create_task(sending.run())
            group.create_task(strike(here, sending, plan))
        await here.settled()
        states, arrived = await text_states(here.dsn), await here.handsets.all_texts()
        doubtful = sum(state == "doubtful" for state in states.values())
        print(f"{here.client.retries} retries, {doubtful} doubtful, {len(arrived)} arrived")
        assert_once(states, arrived, replay)
        assert states.keys() == {body(number) for number in range(SENDS)}, replay
        await assert_whole(here.dsn)
        rows = await ask(here.dsn, "select e.number, c.chat_id from chats c join end_users e using (end_user_id)")
        assert dict(rows) == {consumer(number): chat_id for number, chat_id in sending.chats.items()}, replay
        assert len(rows) == SENDS
        await assert_replies(here, arrived, replay)
        await assert_receipts_settle(here.dsn, arrived)


async def assert_receipts_settle(dsn: str, arrived: list[dict[str, Any]]) -> None:
    """What is at its handset is known to be there by its receipt, whatever became of the carrier's answer."""
    there = {text["body"] for text in arrived}

    async def known() -> bool:
        states = await text_states(dsn)
        return {state for body, state in states.items() if body in there} == {"delivered"}

    await until(known, 20.0, "every text that arrived to be known as delivered")
    states = await text_states(dsn)
    assert {state for body, state in states.items() if body not in there} <= {"doubtful"}


async def assert_replies(scene: Scene, arrived: list[dict[str, Any]], replay: str) -> None:
    """Each reply is in its consumer's chat, once."""
    phones = {text["number"] for text in arrived}
    replied = {f"reply {number}" for number in range(REPLIERS) if consumer(number) in phones}

    async def heard() -> bool:
        rows = await ask(scene.dsn, "select body from messages where sender = 'end_user'")
        return {row[0] for row in rows} == replied

    await until(heard, 30.0, f"{replay}: every reply in a chat")
    rows = await ask(scene.dsn, "select body from messages where sender = 'end_user' group by body having count(*) > 1")
    assert not rows, f"{replay}: replies taken in twice: {rows}"


async def test_what_a_killed_worker_was_sending_is_doubtful_and_the_other_goes_on(
    database: str, tmp_path: Path
) -> None:
    count = 300
    async with running_lab() as handsets:
        token = await set_up(database, tmp_path, handsets.smpp_port, window=20)
        async with (
            serving(tmp_path, "api", database) as api,
            serving(tmp_path, "worker", database) as first,
            serving(tmp_path, "worker", database),
            client_of(api.base_url, token) as client,
        ):
            await until(partial(two, handsets), 30.0, "both workers bound")
            await handsets.faults(answer_delay=0.5)
            await Sending(client, count).run()
            await until(partial(over, handsets, 60), 30.0, "some texts on the wire")
            first.kill()

            async def settled() -> bool:
                return await in_flight(database) == 0

            await until(settled, SETTLED, "every text at its end or doubtful")
            states, arrived = await text_states(database), await handsets.all_texts()
            await assert_receipts_settle(database, arrived)
        doubtful = [text for text, state in states.items() if state == "doubtful"]
        assert 1 <= len(doubtful) <= 2 * 20, f"{len(doubtful)} doubtful"
        assert len(states) == count
        assert_once(states, arrived, "one of two workers killed")
        await assert_whole(database)


async def test_a_worker_that_froze_is_believed_when_it_wakes(database: str, tmp_path: Path) -> None:
    count = 40
    async with running_lab() as handsets:
        token = await set_up(database, tmp_path, handsets.smpp_port, window=100, response_timeout=60)
        async with (
            serving(tmp_path, "api", database) as api,
            serving(tmp_path, "worker", database) as frozen,
            client_of(api.base_url, token) as client,
        ):
            await until(handsets.lines, 30.0, "the worker bound")
            await handsets.faults(answer_delay=1.0)
            await Sending(client, count).run()
            await until(partial(over, handsets, 20), 30.0, "texts without answers")
            frozen.signal(signal.SIGSTOP)
            async with serving(tmp_path, "worker", database):

                async def doubted() -> int:
                    return sum(state == "doubtful" for state in (await text_states(database)).values())

                assert await until(doubted, SETTLED, "the frozen worker's texts in doubt") >= 20
                frozen.signal(signal.SIGCONT)

                async def resolved() -> bool:
                    return set((await text_states(database)).values()) == {"delivered"}

                await until(resolved, SETTLED, "every doubt resolved by answer and receipt")
                assert await frozen.stop() == 0
        assert_once(await text_states(database), await handsets.all_texts(), "a worker frozen")
