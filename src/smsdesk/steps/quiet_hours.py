"""Quiet hours where texts come into the queue: sends, and answers, which go to who has just written at any hour.

What is done for sends takes no id and no chance, and so no `Work`: a group of them is judged and accepted in one round.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from smsdesk.domain.quiet_hours import (
    ANSWER_TO_REPLY,
    LIVE_ANSWER,
    QuietHours,
    Verdict,
    earliest,
    earliest_answer,
    never,
)
from smsdesk.domain.send import Send
from smsdesk.domain.zones import Place, place_of
from smsdesk.steps.work import Work
from smsdesk.store.db import Connection
from smsdesk.store.messages import NewText
from smsdesk.store.quiet_hours import Window, find_time_zones, read_quiet_hours, set_time_zone, set_windows
from smsdesk.store.sends import Decision, WantedSend


class Judged(NamedTuple):
    """A send with when its text may leave; without a verdict where that is at once, by what it is for."""

    wanted: WantedSend
    verdict: Verdict | None = None


def is_judged(send: Send, hours: QuietHours) -> bool:
    """Whether the clocks matter for it, or what it is for is to be kept."""
    return send.category != "transactional" or "transactional" in hours.categories


async def judge_sends(
    conn: Connection, tenant_id: int, sends: Sequence[WantedSend], hours: QuietHours, now: datetime
) -> list[Judged | None]:
    """When each text may leave, by where its consumer is known to be; None where never."""
    numbers = {one.send.end_user_number for one in sends if is_judged(one.send, hours)}
    zones = await find_time_zones(conn, tenant_id, numbers) if numbers else {}
    judged: list[Judged | None] = []
    for one in sends:
        if not is_judged(one.send, hours):
            judged.append(Judged(one))
            continue
        place = place_of(one.send.end_user_number, one.send.time_zone or zones.get(one.send.end_user_number))
        verdict = earliest(now, place, hours, one.send.category)
        wanted = one._replace(due_at=verdict.at) if verdict and verdict.held else one
        judged.append(Judged(wanted, verdict) if verdict else None)
    return judged


async def keep_judgements(
    conn: Connection, tenant_id: int, decided: Iterable[tuple[Judged, Decision]], now: datetime
) -> None:
    """Keeps of accepted sends where their consumers are, and what was judged of their texts."""
    accepted = [(one, decision) for one, decision in decided if decision.outcome in ("accepted", "appended")]
    for one, _ in accepted:
        if one.wanted.send.time_zone is not None:
            await set_time_zone(conn, tenant_id, one.wanted.send.end_user_number, one.wanted.send.time_zone, now)
    windows = [
        Window(decision.message_id, one.wanted.due_at, one.verdict.until, one.verdict.rule, one.wanted.send.category)
        for one, decision in accepted
        if one.verdict is not None
    ]
    if windows:
        await set_windows(conn, tenant_id, windows)


async def look_at_the_clock(
    conn: Connection, tenant_id: int, send: Send, hours: QuietHours, now: datetime
) -> tuple[Place, Verdict]:
    """Where the consumer of an accepted send may be, and what the clocks there mean for its text, held or not."""
    zones = await find_time_zones(conn, tenant_id, [send.end_user_number])
    place = place_of(send.end_user_number, zones.get(send.end_user_number))
    verdict = earliest(now, place, hours, send.category)
    assert verdict is not None, "the text was accepted"
    return place, verdict


async def judge_answer(work: Work, text: NewText, wrote_at: datetime | None) -> None:
    """Judges a text of an agent or of the system that was put in the queue in this transaction: where it is quiet, and
    the consumer did not write (`wrote_at`) within `live_minutes`, it is held if the tenant holds transactional texts.
    """
    hours = await read_quiet_hours(work.conn, work.tenant_id)
    zones = await find_time_zones(work.conn, work.tenant_id, [text.destination])
    place = place_of(text.destination, zones.get(text.destination))
    exemption = LIVE_ANSWER if text.sender == "agent" else ANSWER_TO_REPLY
    verdict = earliest_answer(work.now, place, hours, wrote_at, exemption) or never(work.now)
    if verdict.until is None and verdict.rule != exemption:
        return
    due_at = verdict.at if verdict.held else None
    valid_until = text.valid_until + (verdict.at - work.now) if verdict.held else None
    window = Window(text.message_id, due_at, verdict.until, verdict.rule, valid_until=valid_until)
    await set_windows(work.conn, work.tenant_id, [window])
