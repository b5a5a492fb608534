"""A Zendesk account over HTTP, as far as its public documentation says what it does.

Where the documentation leaves a choice this takes the one that is harder for us: the search for users lags, keys of
idempotency are forgotten, answers are lost.
"""

import asyncio
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import aiohttp
from aiohttp import web

EMAIL, TOKEN = "desk@example.com", "zendesk-token"


@dataclass
class Account:
    """Users, tickets and comments, and what goes wrong on the way to them."""

    now: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)
    users: list[dict[str, Any]] = field(default_factory=list)
    tickets: list[dict[str, Any]] = field(default_factory=list)
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    keys: dict[str, tuple[str, int]] = field(default_factory=dict)
    uploads: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    """Method and path of every request, in order."""
    lose_answer_to: str = ""
    """Method and path of the request that is done, and whose answer does not come: the connection stays open until
    `lost` is answered by closing the server."""
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    refuse: dict[str, web.Response] = field(default_factory=dict)
    """Answers in place of the account's own, by a pattern of method and path."""
    list_by_external_id: bool = True

    def add_user(self, **fields: Any) -> int:
        made = {"id": 1000 + len(self.users), "phone": None, "external_id": None, "role": "end-user", **fields}
        self.users.append(made)
        return int(made["id"])

    def add_ticket(self, **fields: Any) -> int:
        made = {"id": 35 + len(self.tickets), "status": "open", "external_id": None, "updated_at": self.now, **fields}
        self.tickets.append(made)
        self.comments[made["id"]] = []
        return int(made["id"])

    def add_comment(self, ticket_id: int, body: str, *, public: bool, at: datetime | None = None) -> None:
        made = {"id": 1, "body": body, "public": public, "created_at": (at or self.now).isoformat(), "metadata": None}
        self.comments[ticket_id].append(made)

    def notes(self, ticket_id: int) -> list[str]:
        """The internal notes under a ticket."""
        return [one["body"] for one in self.comments[ticket_id] if not one["public"]]

    def forget_keys(self) -> None:
        """Two hours go by."""
        self.keys.clear()


def account_app(account: Account) -> web.Application:
    """The account's API under /api/v2."""
    app = web.Application(middlewares=[_gate(account)], client_max_size=2**24)
    app.router.add_get("/api/v2/users/search", partial(_search_users, account))
    app.router.add_post("/api/v2/users/create_or_update", partial(_create_or_update, account))
    app.router.add_get("/api/v2/users/{id:\\d+}/tickets/requested", partial(_requested, account))
    app.router.add_get("/api/v2/tickets", partial(_by_external_id, account))
    app.router.add_post("/api/v2/tickets", partial(_create_ticket, account))
    app.router.add_get("/api/v2/tickets/{id:\\d+}", partial(_show, account))
    app.router.add_put("/api/v2/tickets/{id:\\d+}", partial(_update, account))
    app.router.add_get("/api/v2/tickets/{id:\\d+}/comments", partial(_comments, account))
    app.router.add_post("/api/v2/uploads", partial(_upload, account))
    return app


def _gate(account: Account) -> Any:
    """The token, the faults, and the record of what was asked."""

    @web.middleware
    async def gate(request: web.Request, handler: Any) -> web.StreamResponse:
        called = f"{request.method} {request.path.removeprefix('/api/v2')}"
        account.calls.append(called)
        wanted = aiohttp.encode_basic_auth(f"{EMAIL}/token", TOKEN)
        if request.headers.get("Authorization") != wanted:
            return web.json_response({"error": "Couldn't authenticate you"}, status=401)
        for pattern, refusal in account.refuse.items():
            if re.fullmatch(pattern, called):
                return web.Response(body=refusal.body, status=refusal.status, headers=refusal.headers)
        answer: web.StreamResponse = await handler(request)
        if called == account.lose_answer_to:
            account.lost.set()
            await asyncio.Event().wait()
        return answer

    return gate


async def _search_users(account: Account, request: web.Request) -> web.Response:
    if name := request.query.get("external_id"):
        return web.json_response({"users": [one for one in account.users if one["external_id"] == name]})
    found = re.fullmatch(r"role:end-user phone:\*(\d+)", request.query["query"])
    assert found, request.query["query"]
    users = [
        one
        for one in account.users
        if one["role"] == "end-user" and re.sub(r"\D", "", one["phone"] or "").endswith(found[1])
    ]
    return web.json_response({"users": users, "count": len(users)})


async def _create_or_update(account: Account, request: web.Request) -> web.Response:
    user = (await request.json())["user"]
    assert user["name"], "a name is required"
    same = [one for one in account.users if one["external_id"] == user["external_id"]]
    if same:
        same[0].update(user)
        return web.json_response({"user": same[0]})
    account.add_user(**user)
    return web.json_response({"user": account.users[-1]}, status=201)


async def _requested(account: Account, request: web.Request) -> web.Response:
    assert (request.query["sort_by"], request.query["sort_order"]) == ("updated_at", "desc")
    owned = [one for one in account.tickets if one.get("requester_id") == int(request.match_info["id"])]
    owned.sort(key=lambda one: one["updated_at"], reverse=True)
    return web.json_response({"tickets": [_shown(one) for one in owned]})


async def _by_external_id(account: Account, request: web.Request) -> web.Response:
    name = request.query["external_id"] if account.list_by_external_id else object()
    return web.json_response({"tickets": [_shown(one) for one in account.tickets if one["external_id"] == name]})


async def _create_ticket(account: Account, request: web.Request) -> web.Response:
    body = await request.text()
    key = request.headers.get("Idempotency-Key")
    if key in account.keys:
        earlier, ticket_id = account.keys[key]
        if earlier != body:
            says = "Request parameters don't match the given idempotency key"
            return web.json_response({"error": "IdempotentRequestError", "description": says}, status=400)
        same = next(one for one in account.tickets if one["id"] == ticket_id)
        return web.json_response({"ticket": _shown(same)}, status=201, headers={"x-idempotency-lookup": "hit"})
    fields = json.loads(body)["ticket"]
    comment = fields.pop("comment")
    ticket_id = account.add_ticket(**{"status": "new", **fields})
    account.add_comment(ticket_id, comment["body"], public=comment.get("public", True))
    if key:
        account.keys[key] = (body, ticket_id)
    return web.json_response(
        {"ticket": _shown(account.tickets[-1])}, status=201, headers={"x-idempotency-lookup": "miss"}
    )


async def _show(account: Account, request: web.Request) -> web.Response:
    found = _find(account, request)
    return web.json_response({"ticket": _shown(found)}) if found else _not_found()


async def _update(account: Account, request: web.Request) -> web.Response:
    found = _find(account, request)
    if found is None:
        return _not_found()
    if found["status"] == "closed":
        details = {"status": [{"description": "Status: closed prevents ticket update"}]}
        error = {"error": "RecordInvalid", "description": "Record validation errors", "details": details}
        return web.json_response(error, status=422)
    update = (await request.json())["ticket"]
    assert len(json.dumps(update.get("metadata", {}))) <= 1024, "Zendesk keeps 1 KB of metadata"
    comment = update["comment"]
    assert len(comment["body"].encode()) <= 65_536, "Zendesk takes 64 KiB"
    for token in comment.get("uploads", []):
        assert token in account.uploads
    account.add_comment(found["id"], comment["body"], public=comment["public"])
    account.comments[found["id"]][-1]["metadata"] = update.get("metadata")
    return web.json_response({"ticket": _shown(found), "audit": {}})


async def _comments(account: Account, request: web.Request) -> web.Response:
    found = _find(account, request)
    if found is None:
        return _not_found()
    assert request.query["sort"] == "-created_at"
    newest = sorted(account.comments[found["id"]], key=lambda one: one["created_at"], reverse=True)
    begin, size = int(request.query.get("page[after]", "0")), int(request.query["page[size]"])
    assert size <= 100
    more = begin + size < len(newest)
    meta = {"has_more": more, "after_cursor": str(begin + size) if more else None, "before_cursor": None}
    return web.json_response({"comments": newest[begin : begin + size], "meta": meta, "links": {}})


async def _upload(account: Account, request: web.Request) -> web.Response:
    assert parse_qs(request.query_string)["filename"]
    token = f"token-{len(account.uploads)}"
    account.uploads[token] = await request.text()
    return web.json_response({"upload": {"token": token, "attachment": {}, "attachments": []}}, status=201)


def _find(account: Account, request: web.Request) -> dict[str, Any] | None:
    return next((one for one in account.tickets if one["id"] == int(request.match_info["id"])), None)


def _not_found() -> web.Response:
    return web.json_response({"error": "RecordNotFound", "description": "Not found"}, status=404)


def _shown(ticket: dict[str, Any]) -> dict[str, Any]:
    url = f"https://example.zendesk.com/api/v2/tickets/{ticket['id']}.json"
    return {**ticket, "url": url, "updated_at": (ticket["updated_at"] + timedelta(0)).isoformat()}
