"""Surveys: asked once for each chat, answered once."""

from datetime import datetime

from smsdesk.domain.survey import SurveyAnswer
from smsdesk.store.db import Connection
from smsdesk.store.telling import Hint, tell


async def add_survey(conn: Connection, tenant_id: int, chat_id: int, now: datetime, expires_at: datetime) -> bool:
    """Notes that the question was put; False where it was before."""
    status = await conn.execute(
        """
        insert into surveys (tenant_id, chat_id, asked_at, expires_at) values ($1, $2, $3, $4) on conflict do nothing
        """,
        tenant_id, chat_id, now, expires_at,
    )  # fmt: skip
    return status == "INSERT 0 1"


async def is_open(conn: Connection, tenant_id: int, chat_id: int, now: datetime) -> bool:
    """Whether an answer would count now; locks the survey if so."""
    found = await conn.fetchval(
        """
        select 1 from surveys
        where tenant_id = $1 and chat_id = $2 and answered_at is null and expires_at > $3 for no key update
        """,
        tenant_id, chat_id, now,
    )  # fmt: skip
    return found is not None


async def answer(conn: Connection, tenant_id: int, chat_id: int, said: SurveyAnswer, now: datetime) -> None:
    """Writes the answer into the chat. Words alone leave the question open for the number."""
    if said.rating is not None:
        await conn.execute(
            "update surveys set answered_at = $3 where tenant_id = $1 and chat_id = $2", tenant_id, chat_id, now
        )
    await conn.execute(
        """
        update chats set rating = coalesce($3, rating), feedback = nullif(concat_ws(' ', feedback, nullif($4, '')), '')
        where tenant_id = $1 and chat_id = $2
        """,
        tenant_id, chat_id, said.rating, said.comment,
    )  # fmt: skip
    await tell(conn, tenant_id, Hint("chat", chat_id))
