"""Intent before the wire: what a node is going to send is its own on disk before a byte leaves."""

from datetime import datetime

from smsdesk.domain.media import Media
from smsdesk.domain.text_state import ClaimedText
from smsdesk.store import texts
from smsdesk.store.db import Database
from smsdesk.store.media import find_outgoing
from smsdesk.store.texts import Wanted


async def claim_texts(
    db: Database, tenant_id: int, carrier_id: int, wanted: Wanted, node_id: int, now: datetime
) -> list[ClaimedText]:
    """Texts of a line that this node has to send now, the most urgent first; raises one of UNREACHABLE."""
    # No transaction block: the call is its own.
    async with db.connection() as conn:
        claimed = await texts.claim(conn, tenant_id, carrier_id, wanted, node_id, now)
        with_media = [text.message_id for text in claimed if text.with_media]
        if not with_media:
            return claimed
        media = await find_outgoing(conn, tenant_id, with_media)
    return [
        text._replace(media=_links(media[text.message_id])) if text.message_id in media else text for text in claimed
    ]


def _links(media: tuple[Media, ...]) -> tuple[str, ...]:
    return tuple(one.url for one in media if one.url is not None)
