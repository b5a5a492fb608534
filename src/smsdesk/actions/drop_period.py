"""Which months of history may go, and how one goes: its partitions at once, the little else in small bites."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from smsdesk.domain.periods import began_at
from smsdesk.domain.tenant import TenantSettings
from smsdesk.store import bygones, periods
from smsdesk.store.db import Connection, Database
from smsdesk.store.periods import Period
from smsdesk.store.tenants import read_tenant, tenant_ids

IDLE = timedelta(days=1)
"""How long no id of a period must have been handed out: a process keeps a block of them for an hour."""

Remove = Callable[[TenantSettings, str], Awaitable[bool]]
"""Removes a file of a tenant by its key; False where that has to wait, and is to be tried by the next sweep."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a period that is not gone may go now."""

    period: Period
    goes_at: datetime | None
    """The day from which its age does not keep it; None where history is kept for ever, or the month is not over."""
    kept: str
    """Why it stays, for people; empty where it may go, or goes already."""


async def judge_periods(db: Database, now: datetime, days: int) -> list[Standing]:
    """Every period that is not gone, the oldest first, by a history of so many days (0: without regard to age).

    They go in order: a chat of an older month may have texts in a younger one.
    """
    found: list[Standing] = []
    kept = ""
    async with db.connection() as conn:
        for period in await periods.list_periods(conn):
            if period.gone_at is not None:
                continue
            goes_at = None if period.left_at is None else _over(period) + timedelta(days=days)
            if period.going_at is not None:
                found.append(Standing(period, goes_at, ""))
                continue
            why = _use(period, now) or ("an older month stays" if kept else "")
            if not why and goes_at is not None and goes_at > now:
                why = f"kept until {goes_at:%Y-%m-%d}"
            kept = why or await _find_reason(conn, period.period, now, days)
            found.append(Standing(period, goes_at, kept))
    return found


async def list_going(db: Database) -> list[int]:
    """The periods whose going was begun and has not ended, the oldest first."""
    async with db.connection() as conn:
        every = await periods.list_periods(conn)
    return [one.period for one in every if one.going_at is not None and one.gone_at is None]


async def drop_period(db: Database, period: int, remove: Remove, now: datetime) -> bool:
    """Takes a period away, from wherever an earlier call left off. False where files had to stay for now: then the next
    call finishes it. Raises LockNotAvailableError where traffic held a table for longer than it may be kept waiting."""
    async with db.connection() as conn:
        await periods.mark_going(conn, period, now)
        # What names chats by a key; then the chats, so that nobody meets one without its words; then the words.
        await periods.drop_partition(conn, "spans", period)
        (left_at,) = [one.left_at for one in await periods.list_periods(conn) if one.period == period]
        tenants = await tenant_ids(conn)
        for tenant_id in tenants:
            for table in (*bygones.BY_MESSAGE, *bygones.BY_CHAT, "chats"):
                while await bygones.take_rows(conn, table, tenant_id, period):
                    pass
        for table in periods.TABLES:
            await periods.drop_partition(conn, table, period)
        page: int | None = 0
        while page is not None:
            page = await bygones.take_keys(conn, period, page)
        page = 0 if left_at is not None else None
        while page is not None and left_at is not None:
            page = await bygones.take_orphans(conn, left_at, page)
        done = [await _take_files(conn, tenant_id, period, remove) for tenant_id in tenants]
        if all(done):
            await periods.mark_gone(conn, period, now)
    return all(done)


async def _take_files(conn: Connection, tenant_id: int, period: int, remove: Remove) -> bool:
    """The octets before the row: whoever is killed in between leaves a row, which the next sweep finds."""
    settings = (await read_tenant(conn, tenant_id)).settings
    while files := await bygones.list_files(conn, tenant_id, period, bygones.BITE):
        for chat_id, media_id, key in files:
            if key is not None and not await remove(settings, key):
                return False
            await bygones.take_file(conn, tenant_id, chat_id, media_id)
    return True


def _over(period: Period) -> datetime:
    """When its month was over, or where that is later, when its ids were used no more."""
    assert period.left_at is not None
    return max(period.left_at, began_at(period.period + 1))


def _use(period: Period, now: datetime) -> str:
    """Whether ids of it may still be handed out."""
    if period.left_at is None:
        return "in use" if period.began_at else "made ahead"
    return "its ids were in use less than a day ago" if period.left_at + IDLE > now else ""


async def _find_reason(conn: Connection, period: int, now: datetime, days: int) -> str:
    """What of it is not over."""
    if (message_id := await periods.find_flying(conn, period)) is not None:
        return f"text {message_id} is in flight"
    for tenant_id in await tenant_ids(conn):
        if (late := await periods.find_late(conn, tenant_id, period, now - timedelta(days=days))) is not None:
            chat_id, ended = late
            return f"chat {chat_id} " + ("is open" if ended is None else f"ended on {ended:%Y-%m-%d}")
        if (chat_id_in_doubt := await periods.find_undecided(conn, tenant_id, period)) is not None:
            return f"a reply in chat {chat_id_in_doubt} may be a revocation: a person has to decide"
    return ""
