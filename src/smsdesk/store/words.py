"""The words of messages, to search for: written down by a job, behind the messages themselves."""

from datetime import datetime

from smsdesk.store.db import Connection


async def index_words(conn: Connection, tenant_id: int, now: datetime, limit: int) -> int:
    """Writes down the words of messages that are new: how many messages, at most `limit`."""
    done: int = await conn.fetchval("select index_words($1, $2, $3)", tenant_id, now, limit)
    return done
