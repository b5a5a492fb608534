"""Making the changes of a plan: all that must happen when a set-up changes, whoever changes it."""

from dataclasses import dataclass

from smsdesk.domain.audit import Author, Deed
from smsdesk.domain.chat_life import WITH_AN_AGENT
from smsdesk.domain.setup import Change
from smsdesk.errors import Problem
from smsdesk.setup.plan import SetupMoved, TenantPlan, as_json
from smsdesk.steps.audit import record
from smsdesk.steps.routing import enqueue
from smsdesk.steps.work import Work
from smsdesk.store.chat_rows import require_open
from smsdesk.store.effective import refresh_effective
from smsdesk.store.moves import Move, move_chat
from smsdesk.store.participants import leave_who_may_not
from smsdesk.store.queues import supervisors_queue
from smsdesk.store.setup import queue_paths, read_state
from smsdesk.store.setup_changes import obstacles, write_changes
from smsdesk.store.strays import Strays, lock_strays
from smsdesk.store.telling import Hint, tell
from smsdesk.store.tenants import mark_changed

ROUTING_SETTINGS = frozenset(("queue_defaults", "time_zone", "chats_per_agent"))
"""Those of a tenant that touch who is asked for which chat, as every queue and agent does."""
MOST_NAMED = 3
"""Things that the subject of a deed names; of more it says how many there are."""


@dataclass(frozen=True, slots=True)
class ChangeSetup:
    """A plan, and who wants it made."""

    planned: TenantPlan
    author: Author


async def make_changes(work: Work, wanted: ChangeSetup) -> None:
    """Makes a plan's changes in the open transaction, tells the running servers and desks, and writes the deed down.

    Chats of a queue that goes are in the one that the plan names, those of an agent who is disabled wait in their queue
    again. Applies of one tenant go one after the other. Raises SetupMoved where the set-up is not the one that was
    planned on any more, and Problem where texts or chats in progress stand against it.
    """
    planned, subdomain = wanted.planned, wanted.planned.current.subdomain
    current = await read_state(work.conn, subdomain, lock=True)
    if current != planned.current and planned.current.tenant_id is not None:
        raise SetupMoved(f"the set-up of {subdomain} was changed by somebody else in the meantime")
    if blocked := await obstacles(work.conn, work.tenant_id, planned.changes):
        raise Problem("parameter_invalid", f"tenant {subdomain}: {'; '.join(blocked)}")
    if any(_routes(change) for change in planned.changes):
        await _change_desk(work, planned)
    else:
        await write_changes(work.conn, work.tenant_id, planned.changes, work.now)
    await mark_changed(work.conn, work.tenant_id, work.now)
    await record(work, deed_of(wanted))
    await tell(work.conn, work.tenant_id, Hint("setup"))


def deed_of(wanted: ChangeSetup) -> Deed:
    """What the audit has of it: every change as the preview shows it, so that no secret is in it."""
    changes = as_json(wanted.planned)["changes"]
    named = [f"{change['kind']} {change['name']}".rstrip() for change in changes]
    more = len(named) - MOST_NAMED
    subject = ", ".join(named[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    return Deed(wanted.author, "change setup", subject, {"changes": changes})


def _routes(change: Change) -> bool:
    named = {field.name for field in change.fields}
    return change.kind in ("queue", "agent") or (change.kind == "settings" and bool(named & ROUTING_SETTINGS))


async def _change_desk(work: Work, planned: TenantPlan) -> None:
    strays = await lock_strays(work.conn, work.tenant_id, planned.changes)
    await write_changes(work.conn, work.tenant_id, planned.changes, work.now)
    await leave_who_may_not(work.conn, work.tenant_id, work.now)
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
