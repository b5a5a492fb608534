"""Zendesk's Ticketing API, version 2: users, tickets, their comments.

Only the creation of tickets takes an Idempotency-Key, and for two hours alone; so each write looks first for what an
earlier attempt may have left: a ticket by its external id, a comment by the name of its job. (developer.zendesk.com,
"Ticketing API: idempotency", "Tickets", "Ticket comments", "Users")
"""

import base64
import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import phonenumbers
from msgspec import Struct

from smsdesk.crm.contract import ChatFacts, Consumer, Contact, Ticket, Transcript, Visit
from smsdesk.crm.http import CrmConfig, HttpAnswer, HttpRequest, Refused, Unavailable, Word, check_address

OPEN = ("new", "open", "pending", "hold")
LONGEST_COMMENT = 60_000
"""Octets. Zendesk takes 64 KiB; what is longer goes under the ticket as a file."""
LARGEST_METADATA = 1_000
"""Octets of JSON that an update of a ticket may carry for programs: Zendesk keeps 1 KB."""
_PAGE = 100
_MOST_PAGES = 60
"""A ticket has at most 5,000 comments."""
_OTHER_BODY = "IdempotentRequestError"
"""The Idempotency-Key was used with another body: that of an attempt before the contact was known."""
_SKEW = timedelta(minutes=10)
"""How far Zendesk's clock may be behind ours."""


class Config(CrmConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of a Zendesk account."""

    base_url: Word
    """`https://SUBDOMAIN.zendesk.com`."""
    email: Word
    """Whose token it is: comments and tickets are his."""
    api_token: Word
    tags: tuple[Word, ...] = ("sms",)
    """What new tickets are tagged with."""

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot work, so that `apply` finds it."""
        check_address(self.base_url, plain_http=self.plain_http)


class _User(Struct):
    id: int
    phone: str | None = None


class _Users(Struct):
    users: list[_User]


class _Made(Struct):
    user: _User


class _Record(Struct):
    id: int
    status: str = ""


class _One(Struct):
    ticket: _Record


class _Records(Struct):
    tickets: list[_Record]


class _Comment(Struct):
    created_at: datetime
    body: str = ""
    public: bool = True


class _Meta(Struct, frozen=True):
    has_more: bool = False
    after_cursor: str | None = None


class _Comments(Struct):
    comments: list[_Comment]
    meta: _Meta = _Meta()


class _Token(Struct):
    token: str


class _Upload(Struct):
    upload: _Token


class Zendesk:
    """A Zendesk account as `contract.Crm` has it."""

    def __init__(self, config: Config, visit: Visit) -> None:
        self._config = config
        self._visit = visit
        self._base = config.base_url.rstrip("/")
        # Basic with `EMAIL/token` as the user ("Security and authentication: API token").
        token = base64.b64encode(f"{config.email}/token:{config.api_token}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}"}

    async def find_contact(self, consumer: Consumer) -> Contact | None:
        """By external id first. Of several with the phone number, the one who has had it longest."""
        for name in filter(None, (consumer.identifier, _external_id(consumer))):
            users = (await self._get("/users/search", external_id=name)).read(_Users).users
            if users:
                return Contact(str(users[0].id))
        digits = _national(consumer.number)
        query = f"role:end-user phone:*{digits}"
        users = (await self._get("/users/search", query=query)).read(_Users).users
        same = [user.id for user in users if _is_same(user.phone, consumer.number, digits)]
        return Contact(str(min(same))) if same else None

    async def create_contact(self, consumer: Consumer) -> Contact:
        """Under an external id, by which a user is updated who is there already: the search lags by minutes."""
        name = consumer.identifier or _external_id(consumer)
        user = {"name": consumer.number, "phone": consumer.number, "external_id": name, "role": "end-user"}
        answer = await self._send("POST", "/users/create_or_update", {"user": {**user, "skip_verify_email": True}})
        return Contact(str(answer.read(_Made).user.id))

    async def link_ticket(self, ticket_id: str) -> Ticket | None:
        """Zendesk's ids are numbers: what is none names no ticket."""
        if not re.fullmatch(r"[0-9]{1,18}", ticket_id):
            return None
        answer = await self._get(f"/tickets/{ticket_id}")
        return None if answer.status == 404 else self._ticket(answer.read(_One).ticket)

    async def find_open_ticket(self, contact: Contact) -> Ticket | None:
        path = f"/users/{quote(contact.contact_id, safe='')}/tickets/requested"
        answer = await self._get(path, sort_by="updated_at", sort_order="desc", per_page=str(_PAGE))
        found = [] if answer.status == 404 else answer.read(_Records).tickets
        return next((self._ticket(one) for one in found if one.status in OPEN), None)

    async def create_ticket(self, chat: ChatFacts, contact: Contact | None) -> Ticket:
        """Unless there is one with the chat's reference. Without a contact the account's own user is the requester."""
        made = (await self._get("/tickets", external_id=chat.reference)).read(_Records).tickets
        if made:
            return self._ticket(min(made, key=lambda one: one.id))
        ticket: dict[str, Any] = {
            "subject": f"SMS with {chat.consumer.number}",
            "comment": {"body": _opening(chat), "public": False},
            "external_id": chat.reference,
            "tags": self._config.tags,
        }
        if contact and contact.contact_id.isdecimal():
            ticket["requester_id"] = int(contact.contact_id)
        try:
            answer = await self._send("POST", "/tickets", {"ticket": ticket}, {"Idempotency-Key": chat.reference})
        except Refused as error:
            if error.code == _OTHER_BODY:
                raise Unavailable("Zendesk made the ticket at an earlier attempt and does not list it yet") from None
            raise
        return self._ticket(answer.read(_One).ticket)

    async def post_transcript(self, ticket: Ticket, chat: ChatFacts, transcript: Transcript) -> None:
        """As an internal note, whose last line names the job."""
        if await self._has_note(ticket):
            return
        comment: dict[str, Any] = {"public": False}
        if len(transcript.text.encode()) > LONGEST_COMMENT:
            comment["uploads"] = [await self._upload(f"transcript-{chat.chat_id}.txt", transcript.text)]
            comment["body"] = f"The transcript of chat {chat.chat_id} is attached.\n\n{self._visit.key}"
        else:
            comment["body"] = f"{transcript.text}\n\n{self._visit.key}"
        update = {"comment": comment, "metadata": _metadata(chat, transcript)}
        answer = await self._send("PUT", _path(ticket), {"ticket": update})
        if answer.status == 404:
            raise Refused(f"Zendesk has no ticket {ticket.ticket_id} any more")

    async def _has_note(self, ticket: Ticket) -> bool:
        """Whether an earlier attempt posted the note: nobody but agents writes internal ones."""
        query = {"sort": "-created_at", "page[size]": str(_PAGE)}
        for _ in range(_MOST_PAGES):
            answer = await self._get(f"{_path(ticket)}/comments", **query)
            if answer.status == 404:
                raise Refused(f"Zendesk has no ticket {ticket.ticket_id} any more")
            page = answer.read(_Comments)
            if any(not one.public and self._visit.key in one.body for one in page.comments):
                return True
            older = page.comments and page.comments[-1].created_at < self._visit.since - _SKEW
            if older or not page.meta.has_more or not page.meta.after_cursor:
                return False
            query["page[after]"] = page.meta.after_cursor
        return False

    async def _upload(self, name: str, text: str) -> str:
        """The token of a file, which goes away by itself unless a comment takes it."""
        url = f"{self._base}/api/v2/uploads?{urlencode({'filename': name})}"
        headers = {**self._headers, "Content-Type": "text/plain; charset=utf-8"}
        request = HttpRequest("POST", url, headers, text.encode())
        return (await self._visit.http.call(request, self._visit.now)).read(_Upload).upload.token

    async def _get(self, path: str, **query: str) -> HttpAnswer:
        url = f"{self._base}/api/v2{path}" + (f"?{urlencode(query, quote_via=quote)}" if query else "")
        return await self._visit.http.call(HttpRequest("GET", url, self._headers), self._visit.now)

    async def _send(
        self, method: str, path: str, fields: dict[str, Any], headers: dict[str, str] | None = None
    ) -> HttpAnswer:
        request = HttpRequest(
            method,
            f"{self._base}/api/v2{path}",
            {**self._headers, "Content-Type": "application/json", **(headers or {})},
            msgspec.json.encode(fields),
        )
        return await self._visit.http.call(request, self._visit.now)

    def _ticket(self, record: _Record) -> Ticket:
        return Ticket(str(record.id), f"{self._base}/agent/tickets/{record.id}")


def _path(ticket: Ticket) -> str:
    return f"/tickets/{quote(ticket.ticket_id, safe='')}"


def _external_id(consumer: Consumer) -> str:
    return f"sms:{consumer.number}"


def _national(number: str) -> str:
    """The digits without the country code, as a person may have written the number into Zendesk."""
    return str(phonenumbers.national_significant_number(phonenumbers.parse(number)))


def _is_same(written: str | None, number: str, national: str) -> bool:
    """Whether a phone number as a person wrote it is this one: the search also finds longer ones with its digits."""
    digits = re.sub(r"\D", "", written or "")
    return digits in (number.removeprefix("+"), national)


def _opening(chat: ChatFacts) -> str:
    queue = f" in {chat.queue}" if chat.queue else ""
    return f"An {chat.direction} text conversation over {chat.outbound_number}{queue}: chat {chat.chat_id}."


def _metadata(chat: ChatFacts, transcript: Transcript) -> dict[str, Any]:
    """What programs read in the ticket's audit; the chat's name alone where all of it would be too much."""
    told = dict(transcript.metadata)
    return told if len(msgspec.json.encode(told)) <= LARGEST_METADATA else {"chat_id": chat.chat_id}
