"""What may not leave any more, such as a text that its carrier's outage kept past 21:00, waits for its next window."""

from datetime import datetime

from smsdesk.domain.quiet_hours import QuietHours, earliest, never
from smsdesk.domain.zones import place_of
from smsdesk.store.db import Database
from smsdesk.store.quiet_hours import Late, Window, find_late, read_quiet_hours, set_windows

_GROUP = 500


async def rejudge_texts(db: Database, tenant_id: int, now: datetime) -> int:
    """Judges the tenant's queued texts whose window is past by the rules and zones of now: how many."""
    total = 0
    while True:
        async with db.transaction() as conn:
            late = await find_late(conn, tenant_id, now, _GROUP)
            if late:
                hours = await read_quiet_hours(conn, tenant_id)
                await set_windows(conn, tenant_id, [_window(one, hours, now) for one in late])
        total += len(late)
        if len(late) < _GROUP:
            return total


def _window(late: Late, hours: QuietHours, now: datetime) -> Window:
    verdict = earliest(now, place_of(late.number, late.time_zone), hours, late.category) or never(now)
    return Window(late.message_id, verdict.at, verdict.until, verdict.rule)
