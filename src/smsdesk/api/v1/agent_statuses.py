"""/apps/api/v1/agent_statuses: what all agents do, and what a team is told to do.

Requests and answers are those of the pages `apps-api-agent-status` and `apps-api-agent-logout`. The imitated product's
teams are our queues: a queue's team is who works in it.
"""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter

from smsdesk.actions.set_team_status import Changed, Team, log_out_team, set_team_status
from smsdesk.api.pages import Page, page_headers
from smsdesk.api.services import Caller, Services
from smsdesk.api.v1.chat_change import Id
from smsdesk.api.v1.chat_object import time
from smsdesk.api.v1.chats import MOST_ID, REFUSALS, PageNumber, PerPage
from smsdesk.domain.agent_status import SYSTEM, choices, is_online
from smsdesk.errors import Problem
from smsdesk.store.agent_lists import AgentFilter, AgentLine, count_agents, list_agents


class AgentStatusObject(msgspec.Struct):
    """What an agent does. `online`: he is logged in; `ready`: he would be asked now."""

    agent_id: int
    name: str
    email: str
    agent_number: int | None
    current_status: str
    reason: str | None
    since: str | None
    online: bool
    ready: bool
    chat_count: int


class ChangedObject(msgspec.Struct, omit_defaults=True):
    """What became of an agent; `message` says why he is as he was."""

    agent_id: int
    name: str | None
    email: str | None
    agent_number: int | None
    previous_status: str
    current_status: str
    message: str | None = None


class ChoiceObject(msgspec.Struct):
    """A status: one that people choose, or one that only the system sets."""

    name: str
    system: bool


class TeamLogout(msgspec.Struct):
    """Agents by id, and all who work in the queues of `team_ids`."""

    agent_ids: list[Id] = []
    team_ids: list[Id] = []


class TeamStatus(TeamLogout, kw_only=True):
    """The status that they are put into, and why."""

    status: str
    reason: str | None = None


@get("/", summary="List agents' statuses", responses=REFUSALS)
async def list_all(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    request: Request[Any, Any, Any],
    page: PageNumber = 1,
    per: PerPage = 100,
    status: Annotated[str | None, QueryParameter(description="Only who is in this status.")] = None,
    queue_id: Annotated[
        int | None, QueryParameter(ge=1, le=MOST_ID, description="Only who works in this queue.")
    ] = None,
) -> Response[list[AgentStatusObject]]:
    """What the tenant's agents do now, without those who are disabled."""
    known = (*choices(caller.tenant.settings.agent_statuses), *SYSTEM)
    if status is not None and status not in known:
        raise Problem("parameter_invalid", f"status must be one of {', '.join(known)}")
    tenant_id, at = caller.tenant.tenant_id, Page(page, per)
    wanted = AgentFilter(queue_id=queue_id, status=status, disabled=False)
    async with services.db.connection() as conn:
        total = await count_agents(conn, tenant_id, wanted)
        lines = await list_agents(conn, tenant_id, wanted, per, at.offset)
    return Response([_status(line) for line in lines], headers=page_headers(request.url, at, total))


@get("/names", summary="List the statuses that there are", responses=REFUSALS)
async def list_names(
    caller: NamedDependency[Caller], request: Request[Any, Any, Any], page: PageNumber = 1, per: PerPage = 100
) -> Response[list[ChoiceObject]]:
    """The statuses of this tenant in the order of a menu: those that people choose, then those of the system."""
    at = Page(page, per)
    names = [ChoiceObject(name, system=False) for name in choices(caller.tenant.settings.agent_statuses)]
    names += [ChoiceObject(name, system=True) for name in SYSTEM]
    return Response(names[at.offset : at.offset + per], headers=page_headers(request.url, at, len(names)))


@post("/", status_code=200, summary="Put agents into a status", responses=REFUSALS)
async def change(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[TeamStatus]
) -> list[ChangedObject]:
    """Puts agents, or the teams of queues, into a status. Who is in a system status stays in it, and a `message` says
    so."""
    team = Team(data.agent_ids, data.team_ids)
    changed = await set_team_status(services.begin, caller.tenant, team, data.status, data.reason)
    return [_changed(caller, one) for one in changed]


@post("/force_logout", status_code=200, summary="Log agents out", responses=REFUSALS)
async def force_logout(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[TeamLogout]
) -> list[ChangedObject]:
    """Logs agents out: who has no chat at once, the others when their chats are over. They are asked for no more."""
    changed = await log_out_team(services.begin, caller.tenant, Team(data.agent_ids, data.team_ids))
    return [_changed(caller, one) for one in changed]


def _status(line: AgentLine) -> AgentStatusObject:
    agent = line.agent
    return AgentStatusObject(
        agent.agent_id, agent.name, agent.email, agent.agent_number, line.status, line.reason,
        time(line.since) if line.since else None, is_online(line.status), line.ready, line.chats,
    )  # fmt: skip


def _changed(caller: Caller, one: Changed) -> ChangedObject:
    agent = caller.tenant.agents.get(one.agent_id)
    return ChangedObject(
        one.agent_id, agent.name if agent else None, agent.email if agent else None,
        agent.agent_number if agent else None, one.previous, one.current, one.message,
    )  # fmt: skip


router = Router("/agent_statuses", route_handlers=[list_all, list_names, change, force_logout], tags=["Agents"])
