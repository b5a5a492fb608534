"""A full server turns sends away before it reads what they say; the connection and its limits are as ever."""

import asyncio
import json

import pytest

from smsdesk.api import connections, overload
from smsdesk.api.http import MOST_BODY
from tests.api.test_serving import Wire, body_to, post
from tests.api.test_slow_clients import NAMES, TWO_WAYS, connected, head, statuses
from tests.kit.api import Api

PLAIN = post(body_to(100))


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was ever answered by this server, and nobody may wait for the first answer."""
    monkeypatch.setattr(overload, "ALWAYS", 0)
    monkeypatch.setattr(connections, "LINGER", 0.2)


async def test_who_is_turned_away_may_stay_and_come_in_later(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Wire(api) as wire:
        with monkeypatch.context() as while_full:
            while_full.setattr(overload, "ALWAYS", 0)
            for _ in range(3):
                wire.writer.write(PLAIN)
                status, headers, body = await wire.answer()
                assert (status, headers["retry-after"]) in {(503, "1"), (503, "2")}
                assert headers.keys() == {"content-type", "content-length", "date", "retry-after"}
                assert "Retry-After" in json.loads(body)["message"]
        wire.writer.write(PLAIN)
        assert (await wire.answer())[0] == 200
    assert await api.count("chats") == 1


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("size", [1, 50, 300])
async def test_a_send_in_pieces_is_turned_away_when_it_is_whole(api: Api, size: int) -> None:
    async with Wire(api) as wire:
        for start in range(0, len(PLAIN), size):
            wire.writer.write(PLAIN[start : start + size])
            await wire.writer.drain()
            await asyncio.sleep(0)
        assert (await wire.answer())[0] == 503
        wire.writer.write(PLAIN)
        assert (await wire.answer())[0] == 503


@pytest.mark.usefixtures("full")
async def test_each_of_many_in_one_packet_is_answered_and_in_its_turn(api: Api) -> None:
    known = post(b"", line=b"GET /apps/api/v1/queues HTTP/1.1")
    async with Wire(api) as wire:
        wire.writer.write(PLAIN + known + PLAIN + PLAIN)
        assert [(await wire.answer())[0] for _ in range(4)] == [503, 200, 503, 503]


@pytest.mark.usefixtures("full")
async def test_a_send_behind_an_open_request_waits_for_its_turn(api: Api) -> None:
    """The page is being made when the send comes: answered first, its 503 would be taken for the page."""
    known = post(b"", line=b"GET /apps/api/v1/queues HTTP/1.1")
    async with Wire(api) as wire:
        wire.writer.write(known)
        async with api.db.transaction():
            await api.db.execute("lock table queues in access exclusive mode")
            wire.writer.write(PLAIN)
        assert [(await wire.answer())[0] for _ in range(2)] == [200, 503]


@pytest.mark.usefixtures("full")
async def test_a_body_that_looks_like_a_send_is_a_body(api: Api) -> None:
    async with connected(api) as raw:
        raw.say(post(PLAIN)[: -len(PLAIN)])
        await api.db.fetchval("select 1")  # the server has read the head meanwhile
        raw.say(PLAIN)
        raw.say(post(b"", b"Connection: close"))
        assert statuses(await raw.all()) == [503, 503]


@pytest.mark.usefixtures("full")
async def test_who_asks_for_the_end_gets_it(api: Api) -> None:
    async with Wire(api) as wire:
        wire.writer.write(post(body_to(100), b"Connection: close"))
        assert (await wire.answer())[0] == 503
        assert await wire.is_over()


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("shape", TWO_WAYS, ids=NAMES)
async def test_what_two_readers_would_read_in_two_ways_is_refused_as_well(api: Api, shape: bytes) -> None:
    async with connected(api) as raw:
        raw.say(shape)
        assert statuses(await raw.all()) == [400]


@pytest.mark.usefixtures("full")
async def test_a_giant_body_is_told_so(api: Api) -> None:
    async with connected(api) as raw:
        raw.say(head(MOST_BODY + 1) + b" " * (MOST_BODY + 1))
        assert statuses(await raw.all()) == [413]


@pytest.mark.usefixtures("full")
async def test_a_connection_that_was_turned_away_and_says_no_more_ends(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "IDLE", 0.5)
    async with connected(api) as raw:
        raw.say(PLAIN)
        assert statuses(await raw.all()) == [503]
