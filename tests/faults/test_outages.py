"""Restarts with work left, and a database that goes away: nothing accepted is lost, nothing is accepted unwritten."""

import asyncio
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from smsdesk.postgres import open_cluster, use_cluster
from tests.faults.census import ask, assert_once, assert_whole, in_flight, text_states
from tests.faults.sending import body, over
from tests.kit.cluster import kill_server, own_folder
from tests.kit.demo_setup import Client, client_of, consumer, set_up
from tests.kit.lab import running_lab
from tests.kit.processes import serving, smsdesk, until

pytestmark = pytest.mark.slow

SETTLED = 60.0
KNOCK = 0.1
"""Seconds between two sends of a client that does not give up: 40 of them are the length of an outage."""


async def test_a_backlog_is_drained_in_order_over_restarts(database: str, tmp_path: Path) -> None:
    phones, each = 250, 20
    async with running_lab() as handsets:
        token = await set_up(database, tmp_path, handsets.smpp_port, when_active="append")
        async with serving(tmp_path, "api", database) as api, client_of(api.base_url, token) as client:
            async with asyncio.TaskGroup() as group:
                for phone in range(phones):
                    group.create_task(send_in_turn(client, phone, each))
            api.kill()
        ((queued,),) = await ask(database, "select count(*) from texts where state = 'queued'")
        assert queued == phones * each
        for least in (1_000, 2_500):
            async with serving(tmp_path, "worker", database) as worker:
                await until(partial(over, handsets, least), 30.0, f"{least} texts arrived")
                assert await worker.stop() == 0, worker.errors
            ((between,),) = await ask(database, "select count(*) from texts where state in ('sending', 'doubtful')")
            assert between == 0, "a stop in good order leaves nothing in doubt"
        async with serving(tmp_path, "all", database):

            async def drained() -> bool:
                return await in_flight(database) == 0

            await until(drained, SETTLED, "the backlog drained")
        arrived = await handsets.all_texts()
        assert_once(await text_states(database), arrived, "restarts with a backlog")
        seen: defaultdict[str, list[int]] = defaultdict(list)
        for text in arrived:
            seen[text["number"]].append(int(text["body"].rpartition(" ")[2]))
        assert all(order == list(range(each)) for order in seen.values())
        assert len(seen) == phones


async def send_in_turn(client: Client, phone: int, count: int) -> None:
    """Texts for one phone, each after the last one's answer."""
    for number in range(count):
        await client.send_until_accepted(consumer(phone), f"phone {phone} text {number}", f"{phone} {number}")


async def test_while_the_database_is_away_nothing_is_accepted_and_all_goes_on_after() -> None:
    with own_folder() as folder, use_cluster(folder) as dsn:
        cluster = open_cluster(folder)
        async with running_lab() as handsets:
            await smsdesk("migrate", folder=folder, database=dsn)
            token = await set_up(dsn, folder, handsets.smpp_port)
            async with serving(folder, database=dsn) as server, client_of(server.base_url, token) as client:
                assert (await client.send(consumer(0), body(0), "key 0")).status == 200
                await asyncio.to_thread(cluster.stop)
                for number in range(1, 41):
                    answer = await client.send(consumer(number), body(number), f"key {number}")
                    assert answer.status == 503, answer.body
                    assert int(answer.headers["Retry-After"]) >= 1
                    assert "message" in answer.json
                    await asyncio.sleep(KNOCK)
                assert server.errors.count('"event": "database away"') < 200, "it was asked without a pause"
                await asyncio.to_thread(start_as_its_owner, folder)
                async with asyncio.TaskGroup() as group:
                    for number in range(1, 41):
                        group.create_task(client.send_until_accepted(consumer(number), body(number), f"key {number}"))

                async def settled() -> bool:
                    return await in_flight(dsn) == 0

                await until(settled, SETTLED, "every text at its end")
                states = await text_states(dsn)
                assert set(states.values()) == {"delivered"}
                assert len(states) == 41
                assert_once(states, await handsets.all_texts(), "the database away")
                await assert_whole(dsn)


async def test_two_processes_find_an_embedded_postgresql_again_that_was_killed() -> None:
    with own_folder() as folder:
        async with running_lab() as handsets, serving(folder, "api") as api, serving(folder, "worker") as worker:
            token = await set_up(open_cluster(folder).dsn(), folder, handsets.smpp_port)
            async with client_of(api.base_url, token) as client:
                for number in range(3):
                    answer = await client.send_until_accepted(consumer(number), body(number), f"key {number}")
                    await until(partial(over, handsets, number + 1), 30.0, f"text {number} on its handset")
                    kill_server(folder)
                assert (
                    answer.json["id"] == (await until(partial(readable, client), 30.0, "the API reads again"))[0]["id"]
                )
                assert await worker.stop() == 0, worker.errors
                assert await api.stop() == 0, api.errors


async def readable(client: Client) -> list[dict[str, Any]]:
    """The chats, newest first; none while they cannot be read."""
    answer = await client.call("GET", "/chats")
    assert answer.status in {200, 503}, answer.body
    return answer.json if answer.status == 200 else []


def start_as_its_owner(folder: Path) -> None:
    """Starts PostgreSQL where it was: a database of SMSDESK_DATABASE_URL comes back without our doing."""
    cluster = open_cluster(folder)
    command = [cluster.binaries.program("pg_ctl"), "start", "-w", "-D", cluster.data.name, "-l", cluster.log.name]
    done = cluster.account.run(command, at=str(cluster.home))
    assert done.returncode == 0, done.stderr
