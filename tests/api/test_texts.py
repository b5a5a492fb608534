"""Doubtful texts: listed, settled by a person, and never sent again without one."""

import asyncio
from typing import Any

import pytest

from smsdesk.domain.text_state import AttemptOutcome
from smsdesk.store import texts
from tests.kit.api import CONSUMER, OURS, Answer, Api

DOUBTFUL = "/apps/api/v1/texts/doubtful"
NODE = 7


async def claim(api: Api) -> list[int]:
    async with api.services.db.connection() as conn:
        carrier_id = await conn.fetchval("select carrier_id from carriers where tenant_id = 1")
        return [
            text.message_id for text in await texts.claim(conn, 1, carrier_id, texts.Wanted(10), NODE, api.clock.now)
        ]


async def doubtful(api: Api) -> int:
    """A text in two parts that was claimed, and of whose second part no answer came."""
    message_id: int = (await api.send(message="x" * 200)).json["message_id"]
    assert await claim(api) == [message_id]
    async with api.services.db.connection() as conn:
        carrier_id = await conn.fetchval("select carrier_id from carriers where tenant_id = 1")
        outcome = AttemptOutcome(message_id, 1, "doubtful", part_ids=("one", None))
        await texts.record_outcomes(conn, 1, carrier_id, api.clock.now, [outcome])
    return message_id


async def settle(api: Api, message_id: int, verdict: str, by: str = "Doe", **more: Any) -> Answer:
    body = {"verdict": verdict, "settled_by": by}
    return await api.call("POST", f"/apps/api/v1/texts/{message_id}/settle", json=body, **more)


async def status(api: Api) -> tuple[str, str | None]:
    chat_id = await api.db.fetchval("select chat_id from chats")
    (message,) = (await api.call("GET", f"/apps/api/v1/chats/{chat_id}/messages")).json
    return message["status"], message["reason"]


async def test_a_doubtful_text_is_listed_until_it_is_settled(api: Api) -> None:
    message_id = await doubtful(api)
    listed = await api.call("GET", DOUBTFUL)
    (text,) = listed.json
    assert (listed.headers["total"], text["message_id"], text["carrier"]) == ("1", message_id, "lab")
    assert (text["end_user_number"], text["outbound_number"]) == (CONSUMER, OURS)
    assert (text["segments"], text["named_segments"], text["attempt"]) == (2, 1, 1)
    assert (text["sent_at"], text["doubtful_since"]) == ("2026-03-02T17:20:51.123Z",) * 2
    assert await claim(api) == []
    assert (await settle(api, message_id, "sent")).json == {
        "message_id": message_id, "verdict": "sent", "settled_by": "Doe",
    }  # fmt: skip
    assert (await api.call("GET", DOUBTFUL)).json == []
    assert await status(api) == ("sent", None)


async def test_not_sent_is_the_end_of_it(api: Api) -> None:
    message_id = await doubtful(api)
    await settle(api, message_id, "not_sent")
    assert await status(api) == ("failed", "not_sent")
    assert await claim(api) == []


async def test_send_again_is_another_attempt_with_time_of_its_own(api: Api) -> None:
    message_id = await doubtful(api)
    api.clock.forward(days=2)
    assert (await settle(api, message_id, "send_again")).status == 200
    assert await status(api) == ("queued", None)
    assert await claim(api) == [message_id]
    rows = await api.db.fetch("select attempt, state from parts order by attempt, part")
    assert [tuple(row) for row in rows] == [(1, "sent"), (1, "failed"), (2, "sending"), (2, "sending")]


async def test_nothing_is_sent_again_to_who_opted_out_since(api: Api) -> None:
    message_id = await doubtful(api)
    await api.db.execute("insert into opt_outs values (1, $1, now(), 'text')", CONSUMER)
    await settle(api, message_id, "send_again")
    assert await claim(api) == []
    assert await status(api) == ("failed", "opted_out")


async def test_one_verdict_counts_and_is_kept_with_its_author(api: Api) -> None:
    message_id = await doubtful(api)
    answers = await asyncio.gather(*(settle(api, message_id, "send_again", f"person {i}") for i in range(8)))
    assert sorted(answer.status for answer in answers) == [200] + [400] * 7
    (row,) = await api.db.fetch("select message_id, attempt, verdict, settled_by from settlements")
    winner = next(answer for answer in answers if answer.status == 200)
    assert tuple(row) == (message_id, 1, "send_again", winner.json["settled_by"])
    assert "is not a doubtful text" in next(answer for answer in answers if answer.status == 400).json["message"]


@pytest.mark.parametrize(("verdict", "by"), [("maybe", "Doe"), ("sent", " "), ("sent", "x" * 121), ("sent", "a\nb")])
async def test_a_verdict_that_is_none(api: Api, verdict: str, by: str) -> None:
    message_id = await doubtful(api)
    assert (await settle(api, message_id, verdict, by)).status == 400
    assert await status(api) == ("doubtful", None)


async def test_another_tenant_sees_and_settles_nothing(api: Api) -> None:
    message_id = await doubtful(api)
    other = {"auth": ("other", "other-secret")}
    assert (await api.call("GET", DOUBTFUL, **other)).json == []
    assert (await settle(api, message_id, "not_sent", **other)).status == 400
    assert await status(api) == ("doubtful", None)
