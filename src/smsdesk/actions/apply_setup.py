"""Makes the changes of a plan, all of them or none, and finds another place for the chats that lose theirs."""

import random
from collections.abc import Callable
from datetime import datetime

from smsdesk.domain.chat_life import WITH_AN_AGENT
from smsdesk.domain.setup import Change
from smsdesk.errors import Problem
from smsdesk.setup.plan import SetupMoved, TenantPlan
from smsdesk.steps.routing import enqueue
from smsdesk.steps.work import Work
from smsdesk.store.chat_rows import require_open
from smsdesk.store.db import Database, Ids
from smsdesk.store.effective import refresh_effective
from smsdesk.store.moves import Move, move_chat
from smsdesk.store.queues import supervisors_queue
from smsdesk.store.setup import queue_paths, read_state
from smsdesk.store.setup_changes import create_tenant, obstacles, write_changes
from smsdesk.store.strays import Strays, lock_strays
from smsdesk.store.tenants import mark_changed

ROUTING_SETTINGS = frozenset(("queue_defaults", "time_zone", "chats_per_agent"))
"""Those of a tenant that touch who is asked for which chat, as every queue and agent does."""


async def apply_setup(
    database: Database, planned: TenantPlan, now: datetime, chance: Callable[[], float] = random.random
) -> None:
    """Applies a tenant's plan in one transaction and tells the running servers; an empty plan touches nothing.

    Chats of a queue that goes are in the one that the plan names, those of an agent who is disabled wait in their queue
    again. Applies of one tenant go one after the other. Raises SetupMoved where the set-up is not the one that was
    planned on any more, and Problem where texts or chats in progress stand against it.
    """
    if planned.is_empty:
        return
    subdomain = planned.current.subdomain
    async with database.transaction() as conn:
        current = await read_state(conn, subdomain, lock=True)
        if current != planned.current:
            raise SetupMoved(f"the set-up of {subdomain} was changed by somebody else in the meantime")
        tenant_id = current.tenant_id or await create_tenant(conn, subdomain, now)
        if tenant_id is None:
            raise SetupMoved(f"the tenant {subdomain} was made by somebody else in the meantime")
        if blocked := await obstacles(conn, tenant_id, planned.changes):
            raise Problem("parameter_invalid", f"tenant {subdomain}: {'; '.join(blocked)}")
        if any(_routes(change) for change in planned.changes):
            await _change_desk(Work(conn, tenant_id, now, Ids(), chance), planned)
        else:
            await write_changes(conn, tenant_id, planned.changes, now)
        await mark_changed(conn, tenant_id, now)


def _routes(change: Change) -> bool:
    named = {field.name for field in change.fields}
    return change.kind in ("queue", "agent") or (change.kind == "settings" and bool(named & ROUTING_SETTINGS))


async def _change_desk(work: Work, planned: TenantPlan) -> None:
    strays = await lock_strays(work.conn, work.tenant_id, planned.changes)
    await write_changes(work.conn, work.tenant_id, planned.changes, work.now)
    await refresh_effective(work.conn, work.tenant_id, work.now)
    ids = {path: queue_id for queue_id, path in (await queue_paths(work.conn, work.tenant_id)).items()}
    for chat_id in strays.chat_ids:
        await _rehome(work, chat_id, strays, ids)


async def _rehome(work: Work, chat_id: int, strays: Strays, ids: dict[str, int]) -> None:
    """Puts a chat where it belongs now: with its agent, while there is one, it only changes its queue."""
    chat = await require_open(work.conn, work.tenant_id, chat_id)
    goal = ids.get(strays.goals.get(chat.queue_id or 0, ""))
    if chat.status in WITH_AN_AGENT and chat.agent_id in strays.agents:
        queue_id = goal or chat.queue_id or await supervisors_queue(work.conn, work.tenant_id, work.now)
        await enqueue(work, chat, queue_id, "release")
    elif goal and chat.status in (*WITH_AN_AGENT, "dismissed"):
        await move_chat(work.conn, work.tenant_id, chat_id, Move(chat.status, chat.agent_id, goal), None, work.now)
    elif goal:
        await enqueue(work, chat, goal)
