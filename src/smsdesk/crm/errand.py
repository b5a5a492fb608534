"""What is done at a CRM for one job, and what is learned on the way."""

from dataclasses import dataclass

from smsdesk.crm.contract import ChatFacts, Contact, Crm, Ticket, Transcript
from smsdesk.crm.http import CrmConfig, Refused


@dataclass(frozen=True, slots=True)
class Errand:
    """A job with what is known of its chat by now."""

    chat: ChatFacts
    contact: Contact | None
    """Who the consumer is in the CRM, where an earlier job found out."""
    ticket: Ticket | None
    """Where the chat belongs, likewise."""
    named_ticket_id: str | None
    """The ticket that the sender named."""
    is_conversation: bool
    """Whether the consumer said anything: a notice that nobody answers makes no ticket."""
    transcript: Transcript | None
    """What is to be posted; None for a job that is only about the ticket and the contact."""


@dataclass(slots=True)
class Learned:
    """What a visit found out, however it ended."""

    contact: Contact | None = None
    ticket: Ticket | None = None
    note: str | None = None
    """Why nothing was to be done."""


async def run_errand(crm: Crm, rules: CrmConfig, errand: Errand, learned: Learned) -> None:
    """Makes sure of contact and ticket, then does the job's own part. Each fact is put into `learned` as soon as it is
    known; raises what the CRM raises."""
    learned.contact = errand.contact or await _find_contact(crm, rules, errand)
    learned.ticket = errand.ticket or await _find_ticket(crm, rules, errand, learned.contact)
    if errand.transcript is None:
        return
    if not rules.transcripts:
        learned.note = "transcripts are switched off"
    elif learned.ticket is None:
        learned.note = "the chat has no ticket"
    else:
        await crm.post_transcript(learned.ticket, errand.chat, errand.transcript)


async def _find_contact(crm: Crm, rules: CrmConfig, errand: Errand) -> Contact | None:
    found = await crm.find_contact(errand.chat.consumer)
    if found is None and rules.contacts == "create" and (errand.is_conversation or errand.named_ticket_id):
        return await crm.create_contact(errand.chat.consumer)
    return found


async def _find_ticket(crm: Crm, rules: CrmConfig, errand: Errand, contact: Contact | None) -> Ticket | None:
    if errand.named_ticket_id:
        found = await crm.link_ticket(errand.named_ticket_id)
        if found is None:
            raise Refused(f"the CRM has no ticket {errand.named_ticket_id}: the sender named it")
        return found
    if rules.tickets == "given" or not errand.is_conversation:
        return None
    if rules.tickets == "append" and contact and (found := await crm.find_open_ticket(contact)):
        return found
    return await crm.create_ticket(errand.chat, contact)
