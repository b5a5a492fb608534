"""Any CRM behind an address of the tenant's own: signed requests as Standard Webhooks has them, answers as JSON.

`docs/crm.md` has each request with its answer.
"""

import base64
import binascii
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from smsdesk.crm.contract import ChatFacts, Consumer, Contact, Ticket, Transcript, Visit
from smsdesk.crm.http import CrmConfig, HttpAnswer, HttpRequest, Unavailable, Word, check_address, is_page

T = TypeVar("T")

PREFIX = "whsec_"
"""What a secret begins with whose rest is the key in base64 (Standard Webhooks 1.0, signature scheme)."""
_LONGEST_ID = 255


class Config(CrmConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of a CRM that understands our requests."""

    url: Word
    """Where all requests go."""
    secret: Word
    """Signs them: `whsec_` and a key in base64, or any other text."""
    previous_secret: str = ""
    """Signs them as well, while the CRM does not know the new one yet."""

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot work, so that `apply` finds it."""
        check_address(self.url, plain_http=self.plain_http)


class _Contact(Struct):
    id: str | int


class _Ticket(Struct):
    id: str | int
    url: str | None = None


class _Found(Struct):
    contact: _Contact | None = None
    ticket: _Ticket | None = None


class Generic:
    """A tenant's own CRM as `contract.Crm` has it."""

    def __init__(self, config: Config, visit: Visit) -> None:
        """Raises ValueError for a secret that is no key."""
        self._config = config
        self._visit = visit
        self._keys = [signing_key(each) for each in (config.secret, config.previous_secret) if each]

    async def find_contact(self, consumer: Consumer) -> Contact | None:
        return _contact((await self._ask("contact.find", _consumer(consumer))).contact)

    async def create_contact(self, consumer: Consumer) -> Contact:
        return _there(_contact((await self._ask("contact.create", _consumer(consumer))).contact))

    async def link_ticket(self, ticket_id: str) -> Ticket | None:
        return _ticket((await self._ask("ticket.find", {"ticket_id": ticket_id})).ticket)

    async def find_open_ticket(self, contact: Contact) -> Ticket | None:
        return _ticket((await self._ask("ticket.find_open", {"contact_id": contact.contact_id})).ticket)

    async def create_ticket(self, chat: ChatFacts, contact: Contact | None) -> Ticket:
        data = {**_chat(chat), "contact_id": contact.contact_id if contact else None}
        return _there(_ticket((await self._ask("ticket.create", data, chat.reference)).ticket))

    async def post_transcript(self, ticket: Ticket, chat: ChatFacts, transcript: Transcript) -> None:
        data = {
            **_chat(chat),
            "ticket_id": ticket.ticket_id,
            "transcript": transcript.text,
            "metadata": transcript.metadata,
        }
        if (await self._post("transcript.post", data)).status == 404:
            raise Unavailable("the CRM answered 404 to a transcript")

    async def _ask(self, kind: str, data: dict[str, Any], key: str = "") -> _Found:
        answer = await self._post(kind, data, key)
        return _Found() if answer.status in (204, 404) else answer.read(_Found)

    async def _post(self, kind: str, data: dict[str, Any], key: str = "") -> HttpAnswer:
        """One signed request. Its id is the same at each attempt, so that the CRM knows a repetition."""
        visit = self._visit
        body = msgspec.json.encode({"type": kind, "timestamp": _time(visit.since), "data": data})
        name = f"{key or visit.key}-{kind.replace('.', '-')}"
        headers = {"Content-Type": "application/json", **signed_headers(self._keys, name, visit.now, body)}
        return await visit.http.call(HttpRequest("POST", self._config.url, headers, body), visit.now)


def signing_key(secret: str) -> bytes:
    """The octets that a secret signs with. Raises ValueError where they are not the base64 that its prefix says."""
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError(f"secret: what follows {PREFIX} is not base64") from None


def signed_headers(keys: list[bytes], name: str, now: datetime, body: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks: one signature for each key, over the id, the time and the body."""
    seconds = str(int(now.timestamp()))
    signed = f"{name}.{seconds}.".encode() + body
    signatures = (base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode() for key in keys)
    return {
        "webhook-id": name,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def _consumer(consumer: Consumer) -> dict[str, Any]:
    return {"phone": consumer.number, "identifier": consumer.identifier}


def _chat(chat: ChatFacts) -> dict[str, Any]:
    return {
        "chat_id": chat.chat_id,
        "direction": chat.direction,
        "created_at": _time(chat.created_at),
        "outbound_number": chat.outbound_number,
        "queue": chat.queue,
        "end_user": _consumer(chat.consumer),
    }


def _contact(found: _Contact | None) -> Contact | None:
    return Contact(_id(found.id)) if found else None


def _ticket(found: _Ticket | None) -> Ticket | None:
    if found is None:
        return None
    return Ticket(_id(found.id), found.url if found.url and is_page(found.url) else None)


def _id(given: str | int) -> str:
    name = str(given).strip()
    if not 0 < len(name) <= _LONGEST_ID or "\x00" in name:
        raise Unavailable("the CRM answered with an id that is none")
    return name


def _there(made: T | None) -> T:
    if made is None:
        raise Unavailable("the CRM made nothing: its answer names no id")
    return made


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:23] + "Z"
