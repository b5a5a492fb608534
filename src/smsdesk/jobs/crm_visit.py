"""One attempt of one job: what the CRM is told, what it answered, and what becomes of the job."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import aiohttp
import msgspec

from smsdesk.actions.record_ticket import record_ticket
from smsdesk.crm.contract import ChatFacts, Consumer, Contact, Crm, Ticket, Transcript, Visit
from smsdesk.crm.errand import Errand, Learned, run_errand
from smsdesk.crm.http import CrmConfig, Http, Refused, Unavailable
from smsdesk.crm.registry import CRMS
from smsdesk.domain.chat import Chat
from smsdesk.setup.secrets import SecretMissing, resolve_all
from smsdesk.store import crm
from smsdesk.store.chats import find_chat
from smsdesk.store.crm import ClaimedJob, CrmChat, Ended
from smsdesk.store.db import Connection, Database

LONGEST_VISIT = 60.0
"""Seconds that all requests of an attempt may take together."""
LEASE = timedelta(seconds=2 * LONGEST_VISIT)
"""How long a claimed job is ours: no request begins in the second half of it, whatever held the process up."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(days=1)
"""How long a job waits for its next attempt: doubled each time, and shortened by chance to no less than its half."""
GIVE_UP = timedelta(days=30)
"""The age at which a job is tried for the last time; a person may try it again after that."""

TranscriptText: TypeAlias = Callable[[Connection, int, int], Awaitable[str]]
"""How a chat reads as text; called with a connection, the tenant and the chat."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the process gives to each attempt."""

    db: Database
    environ: Mapping[str, str]
    """Where the references of set-up files to secrets lead."""
    clock: Callable[[], datetime]
    random: Callable[[], float]
    """Numbers in 0..1."""
    transcript: TranscriptText


@dataclass(frozen=True, slots=True)
class _Named:
    """A job's name in the CRM, and since when it may be there."""

    key: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Door:
    """The way to a tenant's CRM."""

    session: aiohttp.ClientSession
    setup: Mapping[str, Any]
    """As the set-up file names it, `type` and all."""
    latest: float
    """When, in seconds of the monotonic clock, the last request may begin: LONGEST_VISIT after the claim was asked
    for."""


async def attempt(around: Surroundings, door: Door, tenant_id: int, job: ClaimedJob) -> float | None:
    """Does a claimed job and records what came of it. Where the CRM could not be had: for how many seconds it asks to
    be left alone (0.0 where it does not say), else None."""
    async with around.db.connection() as conn:
        told = await crm.find_crm_chat(conn, tenant_id, job.chat_id)
        errand = await _errand(conn, tenant_id, job, told, around.transcript)
    learned, away = Learned(), None
    try:
        async with asyncio.timeout(LONGEST_VISIT):
            rules, line = _make(door, around, _key(told.subdomain, job))
            await run_errand(line, rules, errand, learned)
        ended = Ended("done", around.clock(), learned.note)
    except Refused as error:
        ended = Ended("failed", around.clock(), str(error))
    except Unavailable as error:
        away = error.retry_after
        ended = _again(job, str(error), away, around)
    except TimeoutError:
        away = 0.0
        ended = _again(job, f"the CRM took longer than {LONGEST_VISIT:g} s", away, around)
    await record_ticket(around.db, tenant_id, job, _written(learned), ended, around.clock())
    return away


def _make(door: Door, around: Surroundings, visit: _Named) -> tuple[CrmConfig, Crm]:
    """The tenant's CRM for this visit. Raises Unavailable where it cannot work as it is set up: a secret may come."""
    setup = door.setup
    kind = CRMS.get(setup["type"])
    if kind is None:
        raise Unavailable(f"this version knows no CRM of type {setup['type']}")
    given = {name: value for name, value in setup.items() if name != "type"}
    try:
        config = msgspec.convert(resolve_all(given, around.environ), kind.Config)
        http = Http(door.session, config.timeout, door.latest)
        return config, kind.make(config, Visit(http, visit.key, visit.since, around.clock()))
    except (SecretMissing, msgspec.ValidationError, ValueError) as error:
        raise Unavailable(f"the CRM cannot be used as it is set up: {error}") from None


def _again(job: ClaimedJob, why: str, retry_after: float, around: Surroundings) -> Ended:
    now = around.clock()
    if now - job.created_at > GIVE_UP:
        return Ended("failed", now, f"given up after {GIVE_UP.days} days: {why}")
    pause = min(FIRST_PAUSE * 2 ** min(job.attempt - 1, 20), LONGEST_PAUSE) * (0.5 + around.random() / 2)
    return Ended("queued", now + max(pause, timedelta(seconds=retry_after)), why)


def _written(learned: Learned) -> crm.Learned:
    contact, ticket = learned.contact, learned.ticket
    return crm.Learned(
        contact.contact_id if contact else None, ticket.ticket_id if ticket else None, ticket.url if ticket else None
    )


def _key(subdomain: str, job: ClaimedJob) -> _Named:
    """The time tells jobs of two installations apart, such as one for tests, that have one CRM."""
    return _Named(f"{subdomain}-job-{job.job_id}-{int(job.created_at.timestamp())}", job.created_at)


async def _errand(
    conn: Connection, tenant_id: int, job: ClaimedJob, told: CrmChat, transcript: TranscriptText
) -> Errand:
    chat = await find_chat(conn, tenant_id, job.chat_id)
    assert chat is not None, "a job names its chat by a foreign key"
    text = await transcript(conn, tenant_id, job.chat_id) if job.kind == "transcript" else None
    return Errand(
        chat=_facts(chat, told),
        contact=Contact(told.out_contact_id) if told.out_contact_id else None,
        ticket=Ticket(told.out_ticket_id, told.out_ticket_url) if told.out_ticket_id else None,
        named_ticket_id=told.ticket_id,
        is_conversation=told.is_conversation,
        transcript=None if text is None else Transcript(text, _metadata(chat, told)),
    )


def _facts(chat: Chat, told: CrmChat) -> ChatFacts:
    return ChatFacts(
        reference=f"{told.subdomain}-chat-{chat.chat_id}-{int(chat.created_at.timestamp())}",
        chat_id=chat.chat_id,
        consumer=Consumer(told.number, told.identifier),
        direction=told.direction,
        outbound_number=chat.outbound_number,
        queue="/".join(chat.queue.path_names) if chat.queue else None,
        created_at=chat.created_at,
    )


def _metadata(chat: Chat, told: CrmChat) -> dict[str, Any]:
    """The chat for programs, in the words of the chat object."""
    return {
        "chat_id": chat.chat_id,
        "status": chat.status,
        "direction": told.direction,
        "created_at": chat.created_at.isoformat(timespec="seconds"),
        "ends_at": chat.ends_at.isoformat(timespec="seconds") if chat.ends_at else None,
        "wait_duration": chat.wait_duration,
        "chat_duration": chat.chat_duration,
        "outbound_number": chat.outbound_number,
        "menu_path": "/".join(chat.queue.path_names) if chat.queue else None,
        "agent_email": chat.agent.email if chat.agent else None,
        "disconnected_by": chat.disconnected_by,
        "fail_reason": chat.fail_reason,
    }
