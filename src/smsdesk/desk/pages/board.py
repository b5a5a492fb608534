"""The live board: what waits, who is there, what the lines do, and what a person has to see to."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, FromQuery
from litestar.response import Redirect

from smsdesk.actions.set_agent_status import set_agent_status
from smsdesk.desk import board_charts
from smsdesk.desk.charts import Bar, shares
from smsdesk.desk.figures import duration, midnight, share
from smsdesk.desk.render import fragment, page
from smsdesk.desk.services import Desk
from smsdesk.desk.supervision import shared, supervising
from smsdesk.desk.visitor import Visitor
from smsdesk.domain.agent_status import choices
from smsdesk.errors import Problem
from smsdesk.store.agent_lists import AgentFilter, AgentLine, list_agents, list_history
from smsdesk.store.board import (
    Cares,
    ChatAtDesk,
    QueueDay,
    list_at_desks,
    read_agent_day,
    read_cares,
    read_queue_days,
)
from smsdesk.store.board_texts import Delivery, Line, Outcomes, list_lines, read_delivery
from smsdesk.store.db import Connection
from smsdesk.store.queue_counts import LiveQueue, list_live

SUPERVISE = {"right": "supervise"}
MOST_QUEUES, MOST_AGENTS, MOST_HISTORY = 500, 1000, 50
A_MOMENT, A_WHILE = timedelta(seconds=1), timedelta(seconds=10)
"""How old may be what is counted from little, and from the texts of a day."""
Since = Literal["hour", "day"]
HOURS: dict[Since, int] = {"hour": 1, "day": 24}


@dataclass(frozen=True, slots=True)
class QueueLine:
    """A queue of the board."""

    live: LiveQueue
    day: QueueDay

    @property
    def service_level(self) -> float | None:
        """The share of waits that an agent ended within the target; None where there is no target, or no wait yet."""
        return share(self.day.in_time, self.day.waited)


@dataclass(frozen=True, slots=True)
class Now:
    """What goes on at this moment."""

    queues: list[QueueLine]
    agents: list[AgentLine]
    chats: dict[int, list[ChatAtDesk]]
    cares: Cares
    lines: list[Line]

    @property
    def present(self) -> list[AgentLine]:
        """Who is logged in: first who needs to be looked at, then who works."""
        here = [agent for agent in self.agents if agent.status != "offline"]
        return sorted(here, key=lambda one: (one.status not in ("unresponsive", "missed_chat"), not one.chats))

    @property
    def absent(self) -> list[AgentLine]:
        return [agent for agent in self.agents if agent.status == "offline"]


@get("/desk/board", opt=SUPERVISE)
async def show(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], since: FromQuery[Since] = "hour"
) -> Response[Any]:
    """The whole board."""
    values = {**await _now(desk, visitor), **await _delivery(desk, visitor, since), **await _day(desk, visitor)}
    return page(visitor, "board.html", here="/desk/board", **values)


@get("/desk/board/now", opt=SUPERVISE)
async def show_now(desk: NamedDependency[Desk], visitor: NamedDependency[Visitor]) -> Response[Any]:
    """Queues, agents and cares."""
    return fragment(visitor, "parts/board_now.html", **await _now(desk, visitor))


@get("/desk/board/delivery", opt=SUPERVISE)
async def show_delivery(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], since: FromQuery[Since] = "hour"
) -> Response[Any]:
    """What became of the texts of the last hour, or of the last 24."""
    return fragment(visitor, "parts/board_delivery.html", **await _delivery(desk, visitor, since))


@get("/desk/board/charts", opt=SUPERVISE)
async def show_charts(desk: NamedDependency[Desk], visitor: NamedDependency[Visitor]) -> Response[Any]:
    """The day as charts."""
    return fragment(visitor, "parts/board_charts.html", **await _day(desk, visitor))


@get("/desk/board/agents/{agent_id:int}", opt=SUPERVISE)
async def show_agent(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], agent_id: FromPath[int]
) -> Response[Any]:
    """One agent: his chats, his day, and the form that says what he does from now on."""
    since = _today(desk, visitor)
    async with supervising(desk, visitor) as conn:
        found = await list_agents(conn, visitor.tenant_id, AgentFilter(agent_id=agent_id), 1, 0)
        if not found:
            raise Problem("not_found")
        chats = await list_at_desks(conn, visitor.tenant_id, [agent_id])
        day = await read_agent_day(conn, visitor.tenant_id, agent_id, since)
        past = await list_history(conn, visitor.tenant_id, agent_id, MOST_HISTORY, 0)
    return page(
        visitor, "board_agent.html", here="/desk/board", line=found[0], chats=chats, day=day, past=past,
        statuses=choices(visitor.tenant.settings.agent_statuses), status_word=partial(status_word, visitor),
    )  # fmt: skip


class Chosen(msgspec.Struct):
    """The form."""

    status: str = ""
    reason: str = ""


@post("/desk/board/agents/{agent_id:int}/status", status_code=200, opt=SUPERVISE)
async def set_status(
    desk: NamedDependency[Desk],
    visitor: NamedDependency[Visitor],
    agent_id: FromPath[int],
    data: Annotated[Chosen, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[Any]:
    """Says for an agent what he does from now on."""
    await set_agent_status(desk.begin, visitor.tenant, agent_id, data.status, data.reason, visitor.agent_id)
    return Redirect(f"/desk/board/agents/{agent_id}", status_code=303)


def status_word(visitor: Visitor, status: str) -> str:
    """An agent's status as people read it; a tenant's own ones are as he wrote them."""
    say = visitor.words.say
    known = {
        "available": say("available"), "unavailable": say("unavailable"), "break": say("on a break"),
        "meal": say("at a meal"), "special_task": say("on a special task"), "offline": say("offline"),
        "missed_chat": say("missed a chat"), "unresponsive": say("not responding"), "wrap_up": say("wrapping up"),
    }  # fmt: skip
    return known.get(status, status)


def _today(desk: Desk, visitor: Visitor) -> datetime:
    return midnight(desk.clock().astimezone(visitor.zone).date(), visitor.zone)


async def _now(desk: Desk, visitor: Visitor) -> dict[str, Any]:
    since = _today(desk, visitor)
    read = partial(_read_now, tenant_id=visitor.tenant_id, since=since, now=desk.clock())
    now = await shared(desk, visitor, ("board", since), A_MOMENT, read)
    return {"now": now, "status_word": partial(status_word, visitor), "duration": duration}


async def _read_now(conn: Connection, tenant_id: int, since: datetime, now: datetime) -> Now:
    days = await read_queue_days(conn, tenant_id, since)
    queues = await list_live(conn, tenant_id, MOST_QUEUES, 0)
    chats: dict[int, list[ChatAtDesk]] = {}
    for chat in await list_at_desks(conn, tenant_id):
        chats.setdefault(chat.agent_id, []).append(chat)
    return Now(
        [QueueLine(queue, _with_those_below(queue, queues, days)) for queue in queues],
        await list_agents(conn, tenant_id, AgentFilter(disabled=False), MOST_AGENTS, 0),
        chats,
        await read_cares(conn, tenant_id, since),
        await list_lines(conn, tenant_id, now),
    )


def _with_those_below(queue: LiveQueue, queues: list[LiveQueue], days: dict[int, QueueDay]) -> QueueDay:
    found = QueueDay()
    for other in queues:
        if queue.queue.queue_id in other.path_ids:
            found = found.plus(days.get(other.queue.queue_id, QueueDay()))
    return found


async def _delivery(desk: Desk, visitor: Visitor, since: Since) -> dict[str, Any]:
    now = desk.clock()
    lately = partial(read_delivery, tenant_id=visitor.tenant_id, since=now - timedelta(hours=HOURS[since]))
    delivery = await shared(desk, visitor, ("delivery", since), A_WHILE, lately)
    lines = await shared(desk, visitor, "lines", A_MOMENT, partial(list_lines, tenant_id=visitor.tenant_id, now=now))
    return {
        "since": since, "delivery": delivery, "lines": lines, "unsent": delivery.by_carrier.get(None),
        "outcomes": partial(_outcomes, delivery), "pieces": partial(_pieces, visitor),
        "reason_word": partial(board_charts.reason_word, visitor), "duration": duration, "share": share,
    }  # fmt: skip


def _outcomes(delivery: Delivery, line: Line) -> Outcomes:
    return delivery.by_carrier.get(line.carrier_id, Outcomes())


def _pieces(visitor: Visitor, outcomes: Outcomes) -> tuple[Bar, ...]:
    say = visitor.words.say
    return shares(
        [
            (say("Delivered"), "good", outcomes.delivered), (say("On the way"), "plain", outcomes.on_the_way),
            (say("Doubtful"), "warn", outcomes.doubtful), (say("Failed"), "bad", outcomes.failed),
        ]
    )  # fmt: skip


async def _day(desk: Desk, visitor: Visitor) -> dict[str, Any]:
    now = desk.clock()
    read = partial(board_charts.read_day, tenant_id=visitor.tenant_id, since=_today(desk, visitor), now=now)
    quarters, waits = await shared(desk, visitor, ("day", _today(desk, visitor)), A_WHILE, read)
    return {"charts": board_charts.charts_of(visitor, quarters, waits, now)}


PAGES = [show, show_now, show_delivery, show_charts, show_agent, set_status]
