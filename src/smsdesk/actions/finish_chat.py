"""The ordinary end of a chat."""

from collections.abc import Callable
from datetime import datetime

from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.store.chats import finish_chat, lock_chat
from smsdesk.store.db import Database


class FinishChat:
    """Ends an open chat; the next send to its consumer opens a new one."""

    def __init__(self, db: Database, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._clock = clock

    async def __call__(self, tenant: Tenant, chat_id: int, agent_id: int | None) -> None:
        """Ends the chat in the name of this agent, or of nobody; raises Problem where there is none to end."""
        if agent_id is not None and agent_id not in tenant.agents:
            raise Problem("agent_unknown")
        async with self._db.transaction() as conn:
            chat = await lock_chat(conn, tenant.tenant_id, chat_id)
            if chat is None:
                raise Problem("not_found")
            if chat.ended:
                raise Problem("chat_ended")
            by = "disconnected_by_unknown" if agent_id is None else "disconnected_by_agent"
            await finish_chat(conn, tenant.tenant_id, chat_id, by, self._clock())
