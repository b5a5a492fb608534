"""Months are opened before they come, and their ids are handed out from their first day on."""

from datetime import datetime

from smsdesk.domain.periods import period_of
from smsdesk.store import periods
from smsdesk.store.db import Database


async def open_periods(db: Database, now: datetime) -> list[int]:
    """Makes the partitions of this month and the next, and of the one after that whose ids are in use; then lets this
    month's ids be handed out. Gives the periods made. Raises LockNotAvailableError where a table is held: then
    what was made stays, and ids go on in the month before until the next call."""
    present = period_of(now)
    made = []
    async with db.connection() as conn:
        for period in (present, present + 1):
            if await periods.open_period(conn, period, now):
                made.append(period)
        await periods.move_on(conn, present, now)
        ahead = await periods.period_in_use(conn) + 1
        if await periods.open_period(conn, ahead, now):
            made.append(ahead)
    return made
