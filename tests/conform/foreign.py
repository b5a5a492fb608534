"""A server not of this project, as small as the page: it plays the page's answers, and plays them wrong when told."""

import base64
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

CREATED, ASSIGNED = "2026-01-02T03:04:05.678Z", "2026-01-02T03:04:06.000Z"
AGENT = {
    "id": 31,
    "agent_number": None,
    "email": "john.doe@foo.com",
    "name": "John Doe",
    "first_name": "John",
    "last_name": "Doe",
    "avatar_url": None,
}
OURS = "+1 628-555-0199"
Json = dict[str, object]


@dataclass
class Foreign:
    """`spoil` may change a 200 answer, `refusals` the sentences; `seen` keeps each request as it came."""

    spoil: Callable[[Json], object] = lambda answer: answer
    refusals: dict[str, str] = field(default_factory=dict)
    fills_agent_by_email: bool = True
    remembers: bool = True
    busy: set[str] = field(default_factory=set)
    seen: list[Json] = field(default_factory=list)
    ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(5000))

    async def post(self, request: web.Request) -> web.Response:
        subdomain = base64.b64decode(request.headers["Authorization"].split()[1]).decode().split(":")[0]
        body = await request.json()
        self.seen.append({"subdomain": subdomain, **body})
        refusal = self._refusal(subdomain, body)
        if refusal:
            return web.json_response({"message": self.refusals.get(refusal, refusal)}, status=400)
        if self.remembers:
            self.busy.add(body["end_user_number"])
        return web.json_response(self.spoil(self._chat(body)))

    def _refusal(self, subdomain: str, body: Json) -> str | None:
        consumer, outbound = body.get("end_user_number"), body.get("outbound_number")
        checks = {
            "chat_type needs to be provided": "chat_type" not in body,
            "valid chat type needs to be provided": body.get("chat_type") != "Messaging (SMS)",
            "SMS is not enabled": subdomain == "silent",
            "Outbound SMS is not enabled": subdomain == "inbound-only",
            "end_user_number is required": consumer is None,
            "end_user_number is invalid": consumer == "12345",
            "Non-US phone number not allowed": outbound == "+82 000-000-0000",
            "outbound_number is required": outbound is None,
            "outbound_number is invalid": outbound == "12345",
            "outbound_number is not found": outbound != OURS,
            "message is required": not body.get("message"),
            "Outbound SMS failed. Consumer is already in an active SMS session.": consumer in self.busy,
        }
        return next((sentence for sentence, applies in checks.items() if applies), None)

    def _chat(self, body: Json) -> Json:
        chat, consumer = next(self.ids), next(self.ids)
        by_id, by_email = body.get("agentId") == AGENT["id"], body.get("agentEmail") == AGENT["email"]
        people = [self._participant("end_user", chat, CREATED, None, consumer)]
        if by_id or by_email:
            people.append(self._participant("agent", chat, ASSIGNED, AGENT["id"], None))
        return {
            "id": chat,
            "lang": "en",
            "chat_type": "Messaging (SMS)",
            "status": "assigned" if len(people) == 2 else "selecting",
            "created_at": CREATED,
            "queued_at": None,
            "assigned_at": ASSIGNED if len(people) == 2 else None,
            "ends_at": None,
            "wait_duration": 0,
            "chat_duration": 0,
            "rating": None,
            "has_feedback": False,
            "out_ticket_id": None,
            "out_ticket_url": None,
            "verified": False,
            "disconnected_by": "disconnected_by_unknown",
            "fail_reason": None,
            "selected_menu": None,
            "menu_path": None,
            "agent_info": dict(AGENT) if by_id or (by_email and self.fills_agent_by_email) else None,
            "end_user": {"id": consumer, "identifier": None, "out_contact_id": None},
            "photos": [],
            "videos": [],
            "transfers": [],
            "participants": people,
            "offer_type": None,
            "offer_events": [],
            "answer_type": "manual",
            "outbound_number": "+16285550199",
        }

    def _participant(self, kind: str, chat: int, since: str, user: object, consumer: int | None) -> Json:
        return {
            "id": next(self.ids),
            "type": kind,
            "status": "connected",
            "chat_id": chat,
            "user_id": user,
            "end_user_id": consumer,
            "chat_duration": None,
            "connected_at": since,
            "ended_at": None,
            "fail_reason": "nothing",
        }


@asynccontextmanager
async def serving(foreign: Foreign) -> AsyncIterator[str]:
    """The address of the running server."""
    app = web.Application()
    app.router.add_post("/apps/api/v1/sms", foreign.post)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
