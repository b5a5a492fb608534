"""A text that its category makes wait is held for the first minute of the consumer's day, and leaves in no other."""

import sys
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from smsdesk.actions.rejudge_texts import rejudge_texts
from smsdesk.domain.segments import segment
from smsdesk.steps.quiet_hours import judge_answer
from smsdesk.steps.work import Work
from smsdesk.store import texts
from smsdesk.store.db import Database, Ids
from smsdesk.store.messages import NewText, add_texts
from smsdesk.store.nodes import new_id
from smsdesk.store.texts import Wanted
from tests.kit.api import CONSUMER, OURS, Api

EVENING = datetime(2026, 7, 2, 4, 30, tzinfo=UTC)
"""21:30 in Los Angeles, where CONSUMER's area code is."""
MORNING = datetime(2026, 7, 2, 15, 0, tzinfo=UTC)
STRICT = {"quiet_hours": {"categories": ["transactional", "marketing"], "live_minutes": 30}}


@pytest.fixture
async def night(api: Api) -> Api:
    """The server in the evening, as quiet hours have begun."""
    api.clock.now = EVENING
    return api


async def text_of(api: Api, message_id: int) -> "asyncpg.Record":
    row = await api.db.fetchrow(
        "select t.*, m.category, m.quiet_rule from texts t join messages m using (tenant_id, chat_id, message_id)"
        " where message_id = $1",
        message_id,
    )
    assert row is not None
    return row


async def claimed(api: Api, database: str) -> list[int]:
    """What a node would hand to the carrier now."""
    db = Database(database)
    await db.open()
    try:
        async with db.connection() as conn:
            carrier_id = await conn.fetchval("select carrier_id from carriers where tenant_id = 1")
            node_id = await new_id(conn)
            found = await texts.claim(conn, 1, carrier_id, Wanted(10), node_id, api.clock.now)
            return [one.message_id for one in found]
    finally:
        await db.close()


async def rejudged(api: Api, database: str) -> int:
    db = Database(database)
    await db.open()
    try:
        return await rejudge_texts(db, 1, api.clock.now)
    finally:
        await db.close()


async def test_a_marketing_text_waits_for_the_morning_there_and_its_time_counts_from_then(
    night: Api, database: str
) -> None:
    await night.set(text_validity_minutes=60)
    sent = (await night.send(category="marketing")).json
    text = await text_of(night, sent["message_id"])
    assert (text["due_at"], text["not_after"]) == (MORNING, MORNING + timedelta(hours=13))
    assert text["valid_until"] == MORNING + timedelta(hours=1)
    closes = await night.db.fetchval("select expires_at from chats where chat_id = $1", sent["id"])
    assert closes == MORNING + timedelta(days=1), "nor does the chat close before anybody can have answered"
    assert (text["category"], text["quiet_rule"]) == ("marketing", "marketing: 08:00-21:00; in America/Los_Angeles")
    night.clock.now = MORNING - timedelta(seconds=1)
    assert await claimed(night, database) == []
    night.clock.now = MORNING
    assert await claimed(night, database) == [sent["message_id"]]


async def test_other_texts_leave_at_once(night: Api, database: str) -> None:
    ids = []
    for number, fields in (
        (CONSUMER, {}),
        ("+14155550101", {"category": "transactional"}),
        ("+14155550102", {"category": "urgent"}),
    ):
        ids.append((await night.send(end_user_number=number, **fields)).json["message_id"])
    assert sorted(await claimed(night, database)) == ids
    kept = [tuple(row) for row in await night.db.fetch("select category, quiet_rule from messages order by message_id")]
    assert kept == [(None, None), (None, None), ("urgent", "urgent: not held")]


async def test_the_tenant_says_what_is_held_and_what_a_text_is_that_does_not_say(night: Api) -> None:
    await night.set(default_category="marketing")
    assert (await text_of(night, (await night.send()).json["message_id"]))["due_at"] == MORNING
    await night.set(default_category="transactional", **STRICT)
    sent = (await night.send(end_user_number="+14155550101")).json
    held = await text_of(night, sent["message_id"])
    assert (held["due_at"], held["category"]) == (MORNING, None)
    urgent = (await night.send(end_user_number="+14155550102", category="urgent")).json
    assert (await text_of(night, urgent["message_id"]))["due_at"] == EVENING


async def test_a_text_of_one_key_is_held_once(night: Api) -> None:
    key = {"Idempotency-Key": "k"}
    first = await night.send(category="marketing", headers=key)
    assert (await night.send(category="marketing", headers=key)).body == first.body
    assert (await text_of(night, first.json["message_id"]))["due_at"] == MORNING


async def test_what_is_held_holds_up_nothing_else_to_that_phone(night: Api, database: str) -> None:
    await night.set(when_active="append")
    held = (await night.send(category="marketing")).json["message_id"]
    code = (await night.send(category="urgent")).json["message_id"]
    assert await claimed(night, database) == [code]
    night.clock.now = MORNING
    await night.db.execute("delete from parts")
    await night.db.execute("delete from texts where message_id = $1", code)
    assert await claimed(night, database) == [held]


async def test_a_carrier_that_was_away_past_nine_gets_it_in_the_morning(api: Api, database: str) -> None:
    api.clock.now = EVENING - timedelta(hours=1)
    on_time = (await api.send(category="marketing")).json["message_id"]
    other = (await api.send(end_user_number="+14155550101")).json["message_id"]
    assert (await text_of(api, on_time))["not_after"] == EVENING - timedelta(minutes=30)
    api.clock.now = EVENING
    assert await claimed(api, database) == [other], "the late one neither leaves nor hides the other"
    assert await claimed(api, database) == []
    assert await rejudged(api, database) == 1
    text = await text_of(api, on_time)
    assert (text["due_at"], text["not_after"]) == (MORNING, MORNING + timedelta(hours=13))
    assert await rejudged(api, database) == 0
    api.clock.now = MORNING
    assert await claimed(api, database) == [on_time]


async def test_a_text_past_its_time_by_the_morning_is_not_sent_at_all(api: Api, database: str) -> None:
    await api.set(text_validity_minutes=60)
    api.clock.now = EVENING - timedelta(hours=1)
    sent = (await api.send(category="marketing")).json
    api.clock.now = EVENING + timedelta(minutes=10)
    await rejudged(api, database)
    api.clock.now = MORNING
    assert await claimed(api, database) == []
    assert (
        await api.db.fetchval("select reason from messages where message_id = $1", sent["message_id"]) == "expired_here"
    )


async def test_a_crowd_of_late_texts_does_not_hide_the_others(api: Api, database: str) -> None:
    api.clock.now = EVENING - timedelta(hours=1)
    for line in range(25):
        await api.send(end_user_number=f"+1415555{line:04}", category="marketing")
    last = (await api.send(end_user_number="+14155550199")).json["message_id"]
    api.clock.now = EVENING
    assert await claimed(api, database) == [last]
    assert await rejudged(api, database) == 25


async def test_where_the_consumer_is_may_be_said_and_is_kept(night: Api, database: str) -> None:
    two = "+18505550100"  # an area code in two zones
    night.clock.now = datetime(2026, 7, 2, 12, 30, tzinfo=UTC)  # 08:30 in the east of it, 07:30 in the west
    held = (await night.send(end_user_number=two, category="marketing")).json
    assert (await text_of(night, held["message_id"]))["due_at"] == night.clock.now + timedelta(minutes=30)
    await night.set(when_active="append")
    east = (await night.send(end_user_number=two, category="marketing", end_user_time_zone="America/New_York")).json
    assert (await text_of(night, east["message_id"]))["due_at"] == night.clock.now
    # What was held before that was known is judged again, and leaves in no minute until then.
    assert await rejudged(night, database) == 1
    assert (await text_of(night, held["message_id"]))["due_at"] == night.clock.now
    kept = (await night.send(end_user_number=two, category="marketing")).json
    assert "in America/New_York" in (await text_of(night, kept["message_id"]))["quiet_rule"]
    moved = await night.send(end_user_number=two, end_user_time_zone="Pacific/Honolulu")
    assert moved.status == 200
    assert len(await claimed(night, database)) == 1, "only the one that no hours hold"


async def test_a_zone_that_is_known_already_changes_nothing(night: Api, database: str) -> None:
    await night.set(when_active="append")
    rome = {"category": "marketing", "end_user_time_zone": "Europe/Rome"}  # 06:30 there
    first = (await night.send(**rome)).json["message_id"]
    window = (await text_of(night, first))["not_after"]
    await night.send(**rome)
    assert (await text_of(night, first))["not_after"] == window
    assert await rejudged(night, database) == 0


async def test_a_zone_of_a_refused_send_is_not_kept(night: Api) -> None:
    await night.db.execute("insert into blocked_numbers values (1, $1, now())", CONSUMER)
    await night.db.execute("insert into end_users values (1, 1, $1, null, null, now())", CONSUMER)
    assert (await night.send(end_user_time_zone="Europe/Rome")).status == 400
    assert await night.db.fetchval("select time_zone from end_users") is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"category": "promo"}, "category must be one of transactional, marketing, urgent"),
        ({"category": 1}, "category must be one of transactional, marketing, urgent"),
        ({"end_user_time_zone": "PST8"}, "end_user_time_zone is no IANA zone, such as America/New_York"),
        ({"end_user_time_zone": ["UTC"]}, "end_user_time_zone is no IANA zone, such as America/New_York"),
    ],
)
async def test_what_is_not_known_is_refused(api: Api, fields: dict[str, Any], message: str) -> None:
    answer = await api.send(**fields)
    assert (answer.status, answer.json) == (400, {"message": message})


async def test_rules_without_a_minute_in_common_refuse_the_one_and_not_the_others(night: Api) -> None:
    await night.set(quiet_hours={"begin": "09:00", "end": "08:00"})
    refused = await night.send(end_user_number="+18505550100", category="marketing")
    assert refused.status == 400
    assert "no minute" in refused.json["message"]
    assert (await night.send(end_user_number="+18505550100")).status == 200
    key = {"Idempotency-Key": "k"}
    assert (await night.send(end_user_number="+18125550100", category="marketing", headers=key)).status == 400
    assert await night.count("idempotency_keys") == 0
    one_hour = (await night.send(category="marketing")).json
    assert (await text_of(night, one_hour["message_id"]))["due_at"] == MORNING


async def test_a_dry_run_says_it_and_is_true(night: Api) -> None:
    told = (await night.send(category="marketing", params={"dry_run": "true"})).json
    assert told["quiet_hours"] == {
        "category": "marketing",
        "quiet_now": True,
        "held": True,
        "leaves_at": "2026-07-02T15:00:00.000Z",
        "not_after": "2026-07-03T04:00:00.000Z",
        "time_zones": ["America/Los_Angeles"],
        "state": "CA",
        "rule": "marketing: 08:00-21:00; in America/Los_Angeles",
    }
    assert told["valid_until"] == "2026-07-03T15:00:00.000Z"
    assert await night.count("texts") == 0
    sent = (await night.send(category="marketing")).json
    assert (await text_of(night, sent["message_id"]))["due_at"] == MORNING

    told = (await night.send(end_user_number="+14155550101", params={"dry_run": "true"})).json["quiet_hours"]
    assert (told["quiet_now"], told["held"], told["rule"]) == (True, False, "transactional: not held")
    assert told["leaves_at"] == "2026-07-02T04:30:00.000Z"
    there = (await night.send(end_user_number="+14155550101", category="marketing", params={"dry_run": "true"},
                              end_user_time_zone="Asia/Tokyo")).json["quiet_hours"]  # fmt: skip
    assert (there["time_zones"], there["held"]) == (["Asia/Tokyo"], False)
    assert await night.db.fetchval("select count(*) from end_users where time_zone is not null") == 0


async def test_the_command_shows_it(night: Api) -> None:
    command = Path(sys.executable).with_name("smsdesk")
    arguments = ["explain", "--url", night.base_url, "-u", "acme:secret", "--to", CONSUMER, "--from", OURS, "Sale"]
    shown = await create_subprocess_exec(command, *arguments, "--category", "marketing", stdout=PIPE)
    output = " ".join((await shown.communicate())[0].decode().split())
    assert shown.returncode == 0
    assert "quiet there now: held until 2026-07-02T15:00:00.000Z" in output
    assert "not after 2026-07-03T04:00:00.000Z" in output
    assert "clocks America/Los_Angeles rule marketing: 08:00-21:00; in America/Los_Angeles" in output


async def answered(api: Api, database: str, sender: str, wrote_at: datetime | None) -> "asyncpg.Record":
    """A text of an agent or of the system in the open chat with CONSUMER, judged as its action does."""
    chat_id = await api.db.fetchval("select chat_id from chats where ends_at is null")
    carrier_id = await api.db.fetchval("select carrier_id from carriers where tenant_id = 1")
    db = Database(database)
    await db.open()
    try:
        async with db.transaction() as conn:
            work = Work(conn, 1, api.clock.now, Ids(), lambda: 0.5)
            text = NewText(
                await work.take_id(), chat_id, sender, None, None, "Hello", segment("Hello"), "answer", carrier_id,
                OURS, CONSUMER, api.clock.now, api.clock.now + timedelta(hours=1),
            )  # fmt: skip
            await add_texts(conn, 1, [text])
            await judge_answer(work, text, wrote_at)
    finally:
        await db.close()
    return await text_of(api, text.message_id)


@pytest.mark.parametrize(("sender", "rule"), [("agent", "live_answer"), ("system", "answer_to_reply")])
async def test_who_has_just_written_is_answered_at_night_and_the_message_says_why(
    night: Api, database: str, sender: str, rule: str
) -> None:
    await night.send()
    live = await answered(night, database, sender, EVENING - timedelta(minutes=59))
    assert (live["due_at"], live["not_after"], live["quiet_rule"]) == (EVENING, None, rule)
    late = await answered(night, database, sender, EVENING - timedelta(minutes=60))
    assert (late["due_at"], late["quiet_rule"]) == (EVENING, None), "nothing holds it, and nothing was needed"


async def test_where_all_is_held_an_answer_that_is_not_live_waits(night: Api, database: str) -> None:
    await night.set(**STRICT)
    await night.send(category="urgent")
    live = await answered(night, database, "agent", EVENING - timedelta(minutes=29))
    assert (live["due_at"], live["not_after"]) == (EVENING, EVENING + timedelta(minutes=1))
    late = await answered(night, database, "agent", None)
    assert (late["due_at"], late["valid_until"]) == (MORNING, MORNING + timedelta(hours=1))
    night.clock.now = EVENING + timedelta(minutes=1)
    await rejudged(night, database)
    assert (await text_of(night, live["message_id"]))["due_at"] == MORNING, "it was stuck: it is not live any more"
