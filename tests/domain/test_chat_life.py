"""The table of a chat's life: what may happen, what may not, and that everybody else says the same."""

import re
from pathlib import Path
from typing import get_args

import asyncpg

from smsdesk.domain.chat_life import ENDED, LIFE, OPEN, WAITING, WITH_AN_AGENT, Event, Status, after

ROOT = Path(__file__).parents[2]


def test_every_status_has_its_row_and_is_reached() -> None:
    assert set(LIFE) == set(get_args(Status)) == {*OPEN, *ENDED}
    reached = {status for row in LIFE.values() for status in row.values()}
    assert reached == set(LIFE) - {"selecting"}, "a chat begins in selecting, and never comes back to it"
    assert {event for row in LIFE.values() for event in row} == set(get_args(Event))


def test_nothing_happens_to_what_has_ended_and_everything_open_can_end() -> None:
    assert all(LIFE[status] == {} for status in ENDED)
    for status in OPEN:
        assert after(status, "finish") == "finished"
        assert after(status, "fail") == "failed"
        assert after(status, "leave") in ENDED


def test_only_who_left_before_an_agent_came_has_abandoned() -> None:
    assert {status for status in OPEN if after(status, "leave") == "abandoned"} == {"selecting", *WAITING}


def test_only_what_an_agent_has_can_be_released_dismissed_or_spoken_in() -> None:
    assert {status for status in LIFE if after(status, "dismiss")} == set(WITH_AN_AGENT)
    assert {status for status in LIFE if after(status, "release")} == {*WITH_AN_AGENT, "transferred"}
    assert {status for status in LIFE if after(status, "speak")} == {"assigned"}
    assert {status for status in LIFE if after(status, "resume")} == {"dismissed"}
    assert {status for status in LIFE if after(status, "assign")} == set(OPEN)


async def test_the_database_and_the_page_know_the_same_statuses(database: str) -> None:
    conn = await asyncpg.connect(database)
    rule = await conn.fetchval(
        "select pg_get_constraintdef(oid) from pg_constraint where conname = 'chats_status_check'"
    )
    await conn.close()
    assert set(re.findall(r"'(\w+)'", rule)) == set(LIFE)
    page = (ROOT / "docs/life-of-a-chat.md").read_text().split("## Who ends it")[0]
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == [
        *("selecting", "queued", "resumed", "transferred", "assigned", "ongoing", "dismissed", "finished", "failed"),
        "abandoned",
    ]
