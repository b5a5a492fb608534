"""A transfer is completed, called off or declined."""

from dataclasses import dataclass

from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.steps import transfers
from smsdesk.steps.begin import Begin
from smsdesk.steps.work import Work
from smsdesk.store.agents import AgentRow, require_agent
from smsdesk.store.chat_rows import ChatRow, lock_chat_row
from smsdesk.store.offers import end_offer
from smsdesk.store.transfers import OpenTransfer, find_open, find_status

DECISIONS = ("complete", "cancel", "decline")


@dataclass(frozen=True, slots=True)
class Decision:
    """What an agent decides about a transfer."""

    chat_id: int
    transfer_id: int
    decision: str
    agent_id: int


async def settle_transfer(begin: Begin, tenant: Tenant, wanted: Decision) -> None:
    """Does what was decided. Raises Problem where the transfer is over, or it is not the agent's to decide."""
    async with begin(tenant.tenant_id) as work:
        chat = await lock_chat_row(work.conn, tenant.tenant_id, wanted.chat_id)
        status = await find_status(work.conn, tenant.tenant_id, wanted.chat_id, wanted.transfer_id)
        if chat is None or status is None:
            raise Problem("not_found")
        transfer = await find_open(work.conn, tenant.tenant_id, wanted.chat_id)
        if status != "transferring" or transfer is None:
            raise Problem("transfer_over", f"the transfer is {status}")
        agent = await require_agent(work.conn, tenant.tenant_id, wanted.agent_id)
        _check(wanted.decision, transfer, chat, agent)
        await _obey(work, chat, transfer, wanted)


def _check(decision: str, transfer: OpenTransfer, chat: ChatRow, agent: AgentRow) -> None:
    its_own = {
        "complete": (chat.agent_id, transfer.to_agent_id),
        "cancel": (transfer.from_agent_id,),
        "decline": (transfer.to_agent_id,),
    }[decision]
    if agent.agent_id not in its_own and not (agent.supervises and decision != "decline"):
        raise Problem("not_in_chat", f"agent {agent.agent_id} cannot {decision} this transfer")
    if decision == "complete" and transfer.connected_at is None:
        raise Problem("transfer_over", "there is nothing to complete: nobody has come into the chat yet")


async def _obey(work: Work, chat: ChatRow, transfer: OpenTransfer, wanted: Decision) -> None:
    if wanted.decision == "complete":
        await transfers.complete(work, chat, transfer)
    elif wanted.decision == "cancel":
        await transfers.cancel(work, chat, transfer)
    else:
        await end_offer(work.conn, work.tenant_id, chat.chat_id, wanted.agent_id, "declined", work.now)
        await transfers.give_up(work, chat, wanted.agent_id, "declined")
