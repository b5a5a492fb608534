"""Somebody says for several agents, or for all of a queue, what they do, or logs them out."""

from collections.abc import Sequence
from dataclasses import dataclass

from smsdesk.domain.agent_status import SYSTEM, read_reason, read_status
from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.steps import agent_status
from smsdesk.steps.begin import Begin
from smsdesk.store.agents import find_agent, find_team

MOST_AGENTS = 1000


@dataclass(frozen=True, slots=True)
class Team:
    """Agents by id, and all agents of queues: a queue's team is who works in it."""

    agent_ids: Sequence[int] = ()
    queue_ids: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Changed:
    """What became of one agent; `message` says why he stayed as he was."""

    agent_id: int
    previous: str
    current: str
    message: str | None = None


async def set_team_status(begin: Begin, tenant: Tenant, team: Team, status: str, reason: str | None) -> list[Changed]:
    """Puts each agent into a status, one after another, each in a transaction of his own: what became of them.

    Nobody is moved out of a status that the system has set, as the page `apps-api-agent-status` has it; he may leave it
    himself.
    """
    wanted, why = read_status(status, tenant.settings.agent_statuses), read_reason(reason)
    changed = []
    for agent_id in await _members(begin, tenant, team):
        async with begin(tenant.tenant_id) as work:
            agent = await find_agent(work.conn, tenant.tenant_id, agent_id)
            if agent is None or agent.disabled:
                changed.append(Changed(agent_id, "offline", "offline", "agent is not found"))
            elif agent.status in SYSTEM:
                message = f"Agent can't be changed from system status '{agent.status}'"
                changed.append(Changed(agent_id, agent.status, agent.status, message))
            else:
                await agent_status.change(work, agent_id, wanted, why)
                changed.append(Changed(agent_id, agent.status, wanted))
    return changed


async def log_out_team(begin: Begin, tenant: Tenant, team: Team) -> list[Changed]:
    """Logs each agent out: at once where he has no chat, else when his chats are over. Nobody loses a chat by it."""
    changed = []
    for agent_id in await _members(begin, tenant, team):
        async with begin(tenant.tenant_id) as work:
            before = await find_agent(work.conn, tenant.tenant_id, agent_id)
            if before is None:
                changed.append(Changed(agent_id, "offline", "offline", "agent is not found"))
                continue
            await agent_status.log_out(work, agent_id)
            after = await find_agent(work.conn, tenant.tenant_id, agent_id)
            status = after.status if after else "offline"
            later = "Agent is logged out when the present chats are over" if after and after.leaving else None
            changed.append(Changed(agent_id, before.status, status, later))
    return changed


async def _members(begin: Begin, tenant: Tenant, team: Team) -> list[int]:
    async with begin(tenant.tenant_id) as work:
        members = sorted({*team.agent_ids, *await find_team(work.conn, tenant.tenant_id, team.queue_ids)})
    if not team.agent_ids and not team.queue_ids:
        raise Problem("parameter_invalid", "agent_ids or team_ids is required")
    if len(members) > MOST_AGENTS:
        raise Problem("parameter_invalid", f"at most {MOST_AGENTS} agents at once")
    return members
