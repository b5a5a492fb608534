"""A text that opens no session: it may go to a consumer who is in one, and stands in no later send's way."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from smsdesk.domain.send import Send
from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.steps.begin import Begin
from smsdesk.steps.quiet_hours import Judged, judge_sends, keep_judgements
from smsdesk.steps.work import Work
from smsdesk.store.messages import NewText, add_texts
from smsdesk.store.notices import NewNotice, add_notice, read_standing
from smsdesk.store.replies import lock_end_user
from smsdesk.store.sends import Decision, WantedSend


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice on its way, and the chat that keeps it."""

    text: NewText
    due_at: datetime
    """When it may leave: later than now where quiet hours hold it."""


async def send_notice(begin: Begin, tenant: Tenant, send: Send, credential_id: int) -> Notice:
    """The notice, once it is on disk; raises Problem where a send to this consumer would be refused, except for an open
    session, which does not matter."""
    async with begin(tenant.tenant_id) as work:
        end_user_id = await lock_end_user(
            work.conn, tenant.tenant_id, send.end_user_number, await work.take_id(), work.now
        )
        await _require_welcome(work, send)
        judged = await _judge(work, tenant, WantedSend(send, credential_id))
        due_at = judged.wanted.due_at or work.now
        chat_id = await work.ids.take(work.conn, 3)
        text = NewText(
            chat_id + 2, chat_id, "api", None, credential_id, send.body, send.segments, "notice",
            tenant.numbers[send.outbound_number].carrier_id, send.outbound_number, send.end_user_number, work.now,
            due_at + timedelta(minutes=tenant.settings.text_validity_minutes), send.on_doubt,
        )  # fmt: skip
        await add_notice(work.conn, tenant.tenant_id, NewNotice(chat_id, end_user_id, send.outbound_number), work.now)
        await add_texts(work.conn, tenant.tenant_id, [text])
        decision = Decision("accepted", chat_id, text.message_id, end_user_id, None, None, None)
        await keep_judgements(work.conn, tenant.tenant_id, [(judged, decision)], work.now)
    return Notice(text, due_at)


async def _require_welcome(work: Work, send: Send) -> None:
    standing = await read_standing(work.conn, work.tenant_id, send.end_user_number, send.outbound_number)
    if standing.blocked:
        raise Problem("end_user_blocked")
    if standing.opted_out:
        raise Problem("end_user_opted_out")
    if standing.in_doubt:
        raise Problem("consent_in_doubt")


async def _judge(work: Work, tenant: Tenant, wanted: WantedSend) -> Judged:
    (judged,) = await judge_sends(work.conn, tenant.tenant_id, [wanted], tenant.settings.quiet_hours, work.now)
    if judged is None:
        raise Problem("parameter_invalid", "quiet hours leave no minute in which this text may be sent")
    return judged
