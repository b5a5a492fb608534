"""STOP in the middle of many texts: none leaves after it is stored, and it is confirmed once, as the last word."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from tests.faults.census import ask, in_flight
from tests.kit.demo_setup import Client, client_of, consumer, set_up
from tests.kit.lab import Handsets, running_lab
from tests.kit.processes import serving, until

pytestmark = pytest.mark.slow

ROUNDS = 40
TEXTS = 30
LIMIT = 60.0
CONFIRMATION = "You are opted out"


@dataclass
class Scene:
    """Two processes that send for one tenant, and what is needed to watch them."""

    client: Client
    handsets: Handsets
    dsn: str


async def send_until_refused(client: Client, number: str) -> None:
    """Texts to one phone without a pause, until the API says that it has opted out."""
    for text in range(TEXTS * 20):
        answer = await client.send(number, f"text {text}")
        if answer.status == 400:
            assert answer.json["message"] == "Consumer has opted out of SMS."
            return
        assert answer.status == 200, answer.body
    raise AssertionError(f"{number} was never refused")


async def type_stop(scene: Scene, number: str, after: int) -> None:
    """The consumer has enough after so many texts; returns when the network has our word for it."""

    async def annoyed() -> bool:
        return len(await scene.handsets.texts(number)) >= after

    await until(annoyed, LIMIT, f"{after} texts at {number}")
    await scene.handsets.reply(number, "STOP")

    async def acknowledged() -> bool:
        replies = await scene.handsets.call("GET", f"/handsets/{number}/replies")
        return bool(replies[0]["state"] == "answered")

    await until(acknowledged, LIMIT, f"the STOP of {number} acknowledged")


async def one_round(scene: Scene, number: str, after: int) -> None:
    """One consumer's evening."""
    async with asyncio.TaskGroup() as group:
        group.create_task(send_until_refused(scene.client, number))
        group.create_task(type_stop(scene, number, after))


async def test_nothing_leaves_after_a_stop_is_stored(database: str, tmp_path: Path) -> None:
    random = Random(3)
    async with running_lab() as handsets:
        token = await set_up(database, tmp_path, handsets.smpp_port, when_active="append", window=10)
        await handsets.faults(answer_delay=0.1)
        async with (
            serving(tmp_path, "all", database) as server,
            serving(tmp_path, "worker", database),
            client_of(server.base_url, token) as client,
        ):
            scene = Scene(client, handsets, database)
            async with asyncio.TaskGroup() as group:
                for number in range(ROUNDS):
                    group.create_task(one_round(scene, consumer(number), random.randrange(1, TEXTS // 3)))

            async def settled() -> bool:
                return await in_flight(database) == 0

            await until(settled, LIMIT, "every text at its end")
            for number in range(ROUNDS):
                await assert_last_word(scene, consumer(number))
        ended = await ask(database, "select count(*) from messages where state = 'failed' and reason = 'opted_out'")
        assert ended[0][0] > ROUNDS, "no text was waiting when the STOPs came: the test proves nothing"


async def assert_last_word(scene: Scene, number: str) -> None:
    """After the moment at which the line was known to be quiet, the phone got the confirmation and nothing else."""
    ((quiet_at,),) = await ask(scene.dsn, "select quiet_at from opt_outs where number = $1", number)
    texts = await scene.handsets.texts(number)
    after = [text["body"] for text in texts if text["at"] >= f"{quiet_at:%Y-%m-%dT%H:%M:%S.%fZ}"]
    assert [CONFIRMATION in body for body in after] == [True], f"{number} got after its STOP was stored: {after}"
    confirmations = [text["body"] for text in texts if CONFIRMATION in text["body"]]
    assert len(confirmations) == 1, f"{number} got {confirmations}"
