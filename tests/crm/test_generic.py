"""The signed requests of a tenant's own CRM, and what is made of its answers."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from smsdesk.crm.contract import Consumer, Contact, Ticket, Transcript
from smsdesk.crm.generic import Config, Generic, signed_headers, signing_key
from smsdesk.crm.http import Unavailable
from tests.crm.serving import CHAT, KEY, NOW, OURS, PHONE, listening, visiting

NEW, OLD = "whsec_" + base64.b64encode(b"new key of 24 octets 123").decode(), "an older secret"
END_USER = {"phone": PHONE, "identifier": "cust-7"}
CONSUMER = Consumer(PHONE, "cust-7")
TICKET = Ticket("T-1", "https://crm.example.com/T-1")
TOLD = Transcript("12:00 Consumer: where is my order?", {"chat_id": 7})
CHAT_DATA = {
    "chat_id": 7,
    "direction": "inbound",
    "created_at": "2026-03-01T12:00:00.000Z",
    "outbound_number": OURS,
    "queue": "Support/Billing",
    "end_user": {"phone": PHONE, "identifier": None},
}


@dataclass
class Hook:
    """A CRM of one address: it proves each request as Standard Webhooks says, and answers what it is told to."""

    answer: Any = None
    status: int = 200
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Id and body of each request."""

    async def __call__(self, request: web.Request) -> web.Response:
        body = await request.read()
        name, seconds = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        assert int(seconds) == NOW.timestamp()
        given = request.headers["webhook-signature"].split(" ")
        for key in (b"new key of 24 octets 123", OLD.encode()):
            digest = hmac.new(key, f"{name}.{seconds}.".encode() + body, hashlib.sha256).digest()
            assert f"v1,{base64.b64encode(digest).decode()}" in given
        assert len(given) == 2
        self.asked.append((name, json.loads(body)))
        body = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
        return web.Response(status=self.status, body=body)


@asynccontextmanager
async def hooked(answer: Any, status: int = 200) -> AsyncIterator[tuple[Generic, Hook]]:
    hook, app = Hook(answer, status), web.Application()
    app.router.add_post("/hook", hook.__call__)
    async with listening(app) as url, visiting() as visit:
        yield Generic(Config(url=f"{url}/hook", secret=NEW, previous_secret=OLD), visit), hook


def test_a_signature_is_that_of_the_published_example() -> None:
    """The test vector of the Standard Webhooks libraries."""
    keys = [signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = signed_headers(keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_that_is_not_what_its_prefix_says_is_no_key() -> None:
    with pytest.raises(ValueError, match="base64"):
        signing_key("whsec_no!")


CALLS = [
    ("find_contact", (CONSUMER,), "contact.find", END_USER, {"contact": {"id": 12}}, Contact("12")),
    ("find_contact", (CONSUMER,), "contact.find", END_USER, {"contact": None}, None),
    ("create_contact", (CONSUMER,), "contact.create", END_USER, {"contact": {"id": "c-1"}}, Contact("c-1")),
    ("link_ticket", ("T-1",), "ticket.find", {"ticket_id": "T-1"},
     {"ticket": {"id": "T-1", "url": "https://crm.example.com/T-1"}}, TICKET),
    ("link_ticket", ("T-1",), "ticket.find", {"ticket_id": "T-1"}, {}, None),
    ("find_open_ticket", (Contact("12"),), "ticket.find_open", {"contact_id": "12"}, {"ticket": {"id": 7}},
     Ticket("7", None)),
    ("create_ticket", (CHAT, Contact("12")), "ticket.create", {**CHAT_DATA, "contact_id": "12"},
     {"ticket": {"id": "T-1", "url": "javascript:alert(1)"}}, Ticket("T-1", None)),
    ("post_transcript", (TICKET, CHAT, TOLD), "transcript.post",
     {**CHAT_DATA, "ticket_id": "T-1", "transcript": TOLD.text, "metadata": {"chat_id": 7}}, b"thank you", None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "kind", "data", "answer", "made"), CALLS)
async def test_each_request_and_its_answer(
    name: str, given: tuple[Any, ...], kind: str, data: dict[str, Any], answer: Any, made: Any
) -> None:
    async with hooked(answer) as (crm, hook):
        assert await getattr(crm, name)(*given) == made
        ((asked, body),) = hook.asked
        assert body == {"type": kind, "timestamp": "2026-03-01T12:00:00.000Z", "data": data}
        # A repetition bears the same id and the same octets, so that the CRM can tell.
        await getattr(crm, name)(*given)
        assert hook.asked[1] == (asked, body)
        assert asked == f"{CHAT.reference if name == 'create_ticket' else KEY}-{kind.replace('.', '-')}"


@pytest.mark.parametrize("status", [204, 404])
async def test_no_such_thing_can_be_said_by_the_status_alone(status: int) -> None:
    async with hooked(b"", status) as (crm, _):
        assert await crm.find_contact(CONSUMER) is None
        assert await crm.link_ticket("T-1") is None


@pytest.mark.parametrize("answer", [b"<html>", {"contact": {"id": ""}}, {"contact": {}}, [], {"contact": {"id": "\0"}}])
async def test_an_answer_that_is_none_is_asked_for_again(answer: Any) -> None:
    async with hooked(answer) as (crm, _):
        with pytest.raises(Unavailable):
            await crm.find_contact(CONSUMER)


async def test_a_crm_that_makes_nothing_is_asked_again() -> None:
    async with hooked({}) as (crm, _):
        with pytest.raises(Unavailable, match="made nothing"):
            await crm.create_ticket(CHAT, None)
    async with hooked(b"", 404) as (crm, _):
        with pytest.raises(Unavailable, match="404"):
            await crm.post_transcript(TICKET, CHAT, TOLD)
