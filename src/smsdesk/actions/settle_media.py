"""What became of a fetch is written down: kept, refused with a reason that a person reads, or to be tried again."""

from datetime import datetime, timedelta

from smsdesk.domain.media import MediaType
from smsdesk.store import media as rows
from smsdesk.store.db import Database
from smsdesk.store.media import ClaimedMedia, Fetched

MOST_ATTEMPTS = 10
"""Tries within some nine hours. Vendors keep files for days at least."""
_FIRST, _LONGEST = timedelta(seconds=5), timedelta(hours=4)


async def keep_media(
    db: Database, tenant_id: int, media: ClaimedMedia, file: tuple[MediaType, str, int], now: datetime
) -> None:
    """The file is kept: what it is, under which key, and how many octets it has."""
    kind, key, size = file
    await _settle(db, tenant_id, media, Fetched(kind, key, size), now)


async def refuse_media(db: Database, tenant_id: int, media: ClaimedMedia, reason: str, now: datetime) -> None:
    """The file will never be kept."""
    await _settle(db, tenant_id, media, Fetched(reason=reason), now)


async def postpone_media(
    db: Database, tenant_id: int, media: ClaimedMedia, reason: str, now: datetime, chance: float
) -> None:
    """The file is tried again after a pause that grows threefold, from 5 seconds to 4 hours; after MOST_ATTEMPTS it is
    refused. `chance`, in 0..1, takes up to a fifth off the pause, so that what failed together does not come
    together."""
    if media.attempt >= MOST_ATTEMPTS:
        await refuse_media(db, tenant_id, media, f"{reason} (tried {media.attempt} times)", now)
        return
    pause = min(_FIRST * 3 ** (media.attempt - 1), _LONGEST) * (1 - chance / 5)
    await _settle(db, tenant_id, media, Fetched(reason=reason, again_at=now + pause), now)


async def _settle(db: Database, tenant_id: int, media: ClaimedMedia, fetched: Fetched, now: datetime) -> None:
    async with db.connection() as conn:
        await rows.settle(conn, tenant_id, media, fetched, now)
