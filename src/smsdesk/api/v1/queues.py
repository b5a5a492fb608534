"""/apps/api/v1/queues, /wait_times and /queue_operation_statuses: what goes on in each queue.

Keys and parameters of the latter two are those of the pages `apps-api-wait-time` and
`apps-api-queue-operation-statuses`; what the imitated product counts for its other channels is left out.
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, get
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter

from smsdesk.api.pages import Page, page_headers
from smsdesk.api.services import Caller, Services
from smsdesk.api.v1.chat_object import time
from smsdesk.api.v1.chats import MOST_ID, REFUSALS, PageNumber, PerPage
from smsdesk.domain.hours import is_open, next_open
from smsdesk.errors import Problem
from smsdesk.store.arrivals import estimate_wait
from smsdesk.store.db import Connection
from smsdesk.store.queue_counts import LiveQueue, count_live, list_live

QueueId = Annotated[int, PathParameter(ge=1, le=MOST_ID, description="The queue's `id`.")]
MenuId = Annotated[int | None, QueryParameter(ge=1, le=MOST_ID, description="Only this queue and those below it.")]
Lang = Annotated[str | None, QueryParameter(description="Only queues of this language, as ISO 639-1.")]
LongerThan = Annotated[
    int | None, QueryParameter(name="wait[from]", ge=0, le=MOST_ID, description="Only longer waits.")
]
ShorterThan = Annotated[
    int | None, QueryParameter(name="wait[to]", ge=0, le=MOST_ID, description="Only shorter waits.")
]
MENU_TYPE, CHANNEL_TYPE = "sms", "chat"
EVERY = 1_000_000
"""More queues than a tenant has."""


class QueueObject(msgspec.Struct):
    """A queue. What waits and who works in it counts those below it too. `open` is by its hours; `next_open_at` is null
    where it is open, or never opens. `ready_agents` would be asked now."""

    id: int
    parent_id: int | None
    name: str
    path: str
    path_ids: list[int]
    keyword: str | None
    position: int
    hidden: bool
    leaf: bool
    lang: str
    purpose: str | None
    dispositions: list[str]
    waiting: int
    waiting_since: str | None
    assigned_agents: int
    logged_in_agents: int
    ready_agents: int
    open: bool
    next_open_at: str | None


class WaitTimeObject(msgspec.Struct):
    """`chat`: seconds that a new chat has to wait for an agent, from the chats before it. `available_agents` would be
    asked now; `breakthrough_agents` are logged in, not available, and have a place left."""

    menu_id: int
    menu_type: str
    lang: str
    chat: int
    materialized_path: str
    waiting: int
    assigned_agents: int
    logged_in_agents: int
    available_agents: int
    breakthrough_agents: int


class OperationObject(msgspec.Struct):
    """Whether a chat that came now would be answered. The page writes the first both ways."""

    menu_id: int
    lang: str
    channel_type: str
    after_hours: bool
    after_hour: bool
    overcapacity: bool
    next_open_at: str | None


@get("/queues", summary="List queues", responses=REFUSALS)
async def list_all(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    request: Request[Any, Any, Any],
    page: PageNumber = 1,
    per: PerPage = 100,
    menu_id: MenuId = None,
) -> Response[list[QueueObject]]:
    """The tree of queues in the order of the menu, each before those below it, with what goes on in it now."""
    tenant_id, at, now = caller.tenant.tenant_id, Page(page, per), services.clock()
    async with services.db.connection() as conn:
        total = await count_live(conn, tenant_id, menu_id)
        live = await list_live(conn, tenant_id, per, at.offset, menu_id)
    return Response([_queue(one, now) for one in live], headers=page_headers(request.url, at, total))


@get("/queues/{queue_id:int}", summary="Read a queue", responses=REFUSALS)
async def read_one(
    services: NamedDependency[Services], caller: NamedDependency[Caller], queue_id: QueueId
) -> QueueObject:
    """One queue and what goes on in it."""
    return _queue(await _find(services, caller, queue_id), services.clock())


@get("/queues/{queue_id:int}/status", summary="Read whether a queue answers", responses=REFUSALS)
async def read_status(
    services: NamedDependency[Services], caller: NamedDependency[Caller], queue_id: QueueId
) -> OperationObject:
    """Whether the queue is after its hours, and whether all its agents are taken or away."""
    return _operation(await _find(services, caller, queue_id), services.clock())


@get("/queue_operation_statuses", summary="Read whether a queue answers (the imitated path)", responses=REFUSALS)
async def read_operation(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    menu_id: Annotated[int, QueryParameter(ge=1, le=MOST_ID, description="The queue's `id`.")],
) -> OperationObject:
    """The same as the status of a queue."""
    return _operation(await _find(services, caller, menu_id), services.clock())


@get("/wait_times", summary="List waiting times", responses=REFUSALS)
async def list_wait_times(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    request: Request[Any, Any, Any],
    page: PageNumber = 1,
    per: PerPage = 100,
    menu_id: MenuId = None,
    lang: Lang = None,
    wait_from: LongerThan = None,
    wait_to: ShorterThan = None,
) -> Response[list[WaitTimeObject]]:
    """How long a chat has to wait in each queue that has none below it, and who is there."""
    at, now = Page(page, per), services.clock()
    async with services.db.connection() as conn:
        live = await list_live(conn, caller.tenant.tenant_id, EVERY, 0, menu_id)
        waits = [
            await _wait_time(conn, caller, one, now)
            for one in live
            if one.is_leaf and lang in (None, one.queue.settings.lang)
        ]
    wanted = [
        one for one in waits if (wait_from is None or one.chat > wait_from) and (wait_to is None or one.chat < wait_to)
    ]
    return Response(wanted[at.offset : at.offset + per], headers=page_headers(request.url, at, len(wanted)))


async def _find(services: Services, caller: Caller, queue_id: int) -> LiveQueue:
    async with services.db.connection() as conn:
        live = await list_live(conn, caller.tenant.tenant_id, 1, 0, queue_id)
    if not live or live[0].queue.queue_id != queue_id:
        raise Problem("not_found")
    return live[0]


async def _wait_time(conn: Connection, caller: Caller, live: LiveQueue, now: datetime) -> WaitTimeObject:
    counts = live.counts
    return WaitTimeObject(
        live.queue.queue_id, live.queue.purpose or MENU_TYPE, live.queue.settings.lang,
        await _seconds(conn, caller, live, now), "/".join(live.path_names), counts.waiting, counts.assigned_agents,
        counts.logged_in_agents, counts.available_agents, counts.breakthrough_agents,
    )  # fmt: skip


async def _seconds(conn: Connection, caller: Caller, live: LiveQueue, now: datetime) -> int:
    """Nothing where somebody is ready and nobody waits; else what chats waited of late, or have waited by now."""
    counts = live.counts
    if counts.available_agents and not counts.waiting:
        return 0
    minutes = await estimate_wait(conn, caller.tenant.tenant_id, live.queue.queue_id, now)
    if minutes is not None:
        return minutes * 60
    return int((now - counts.waiting_since).total_seconds()) if counts.waiting_since else 0


def _queue(live: LiveQueue, now: datetime) -> QueueObject:
    queue, counts = live.queue, live.counts
    return QueueObject(
        queue.queue_id, queue.parent_id, queue.name, "/".join(live.path_names), list(live.path_ids), queue.keyword,
        queue.position, queue.hidden, live.is_leaf, queue.settings.lang, queue.purpose,
        list(queue.settings.dispositions), counts.waiting, time(counts.waiting_since) if counts.waiting_since else None,
        counts.assigned_agents, counts.logged_in_agents, counts.available_agents, is_open(queue.settings.hours, now),
        _next_open(live, now),
    )  # fmt: skip


def _operation(live: LiveQueue, now: datetime) -> OperationObject:
    closed = not is_open(live.queue.settings.hours, now)
    return OperationObject(
        live.queue.queue_id, live.queue.settings.lang, CHANNEL_TYPE, closed, closed, live.over_capacity,
        _next_open(live, now),
    )  # fmt: skip


def _next_open(live: LiveQueue, now: datetime) -> str | None:
    if is_open(live.queue.settings.hours, now):
        return None
    at = next_open(live.queue.settings.hours, now)
    return time(at) if at else None


router = Router(
    "/",
    route_handlers=[list_all, read_one, read_status, read_operation, list_wait_times],
    tags=["Queues"],
)
