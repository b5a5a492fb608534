"""Every route of the desk, whoever wrote it: nobody who is not signed in, no role below its right, no other tenant."""

import re
from typing import Any

from aiohttp import encode_basic_auth
from litestar import Litestar
from litestar.routes import HTTPRoute

from smsdesk.desk.app import build_desk
from smsdesk.domain.rights import OF_ROLES, RIGHTS
from tests.kit.api import CONSUMER, OURS
from tests.kit.desk import DeskKit, Person, Seen

BY_ROLE = {"agent": "john", "supervisor": "supervisor", "administrator": "administrator"}
STRANGERS = {"work": "theirs", "supervise": "their_administrator", "administer": "their_administrator"}
"""Of the other tenant, with all the rights that a route can ask for."""
ANYBODYS = frozenset(
    ("/desk/static", "/desk/sign-in", "/desk/sign-in/code", "/desk/sign-in/oidc", "/desk/sign-in/oidc/back",
     "/desk/password")
)  # fmt: skip
"""The routes that take nobody's session. Whoever adds one adds it here, and thinks."""
WORDS = {
    "lab_file": "1",
    "session_hash": "00" * 32,
    "number": CONSUMER,
    "our_number": OURS,
    "name": "main",
    "subject": CONSUMER,
}
"""A real value of each path parameter that is no id."""
TABLES = {
    "chat_id": "chats", "message_id": "messages", "queue_id": "queues", "carrier_id": "carriers",
    "credential_id": "credentials", "end_user_id": "end_users", "agent_id": "agents", "shortcut_id": "shortcuts",
    "offer_id": "offers", "transfer_id": "transfers", "media_id": "media", "hold_id": "consent_holds",
    "text_id": "messages", "audit_id": "audit", "participant_id": "participants",
}  # fmt: skip
"""The table of a parameter: its first row is of `acme`. Where there is none, it is 1."""
COLUMNS = {"text_id": "message_id"}
OWN = frozenset(("/desk/developer/file/{lab_file}",))
"""Paths whose parameter is no thing of a tenant."""


Route = tuple[str, str, dict[str, Any]]


def routes(desk: DeskKit) -> list[Route]:
    """Method, path and `opt` of each."""
    app = build_desk(desk.services)
    assert isinstance(app, Litestar)
    found: list[Route] = []
    for route in app.routes:
        assert isinstance(route, HTTPRoute)
        for handler in route.route_handlers:
            methods = sorted(str(method) for method in handler.http_methods if method not in ("OPTIONS", "HEAD"))
            found += [(method.rpartition(".")[2], route.path_format, dict(handler.opt)) for method in methods]
    return found


def closed(desk: DeskKit) -> list[Route]:
    """Those that take a session."""
    return [route for route in routes(desk) if not route[2].get("public")]


async def ids(desk: DeskKit) -> dict[str, str]:
    """A value of `acme` for each name of a path parameter: a chat with a message is begun for it."""
    send = {"chat_type": "SMS", "end_user_number": CONSUMER, "outbound_number": OURS, "message": "Your order is ready."}
    auth = {"Authorization": encode_basic_auth("acme", "secret")}
    async with desk.http.post(f"{desk.base_url}/apps/api/v1/sms", json=send, headers=auth) as answer:
        assert answer.status == 200, await answer.text()
    found = dict(WORDS)
    for name, table in TABLES.items():
        found[name] = str(await desk.db.fetchval(f"select min({COLUMNS.get(name, name)}) from {table}") or 1)
    return found


async def ask(person: Person, method: str, path: str) -> Seen:
    return await (person.get(path) if method == "GET" else person.post(path))


async def test_each_route_is_open_on_purpose_or_names_a_right(desk: DeskKit) -> None:
    seen = routes(desk)
    assert len(seen) > 40
    for method, path, opt in seen:
        if opt.get("public"):
            assert path.partition("/{")[0] in ANYBODYS, f"{method} {path}: nobody's session is asked for"
        else:
            assert opt.get("right") in RIGHTS, f"{method} {path} names no right: nobody would get in"


async def test_each_path_parameter_has_a_real_value_here(desk: DeskKit) -> None:
    known = {*WORDS, *TABLES}
    unknown = {(name, path) for _, path, _ in closed(desk) for name in re.findall(r"{(\w+)", path) if name not in known}
    assert not unknown, "name it in WORDS or TABLES, with a value that `acme` has"


async def test_nobody_gets_in_who_is_not_signed_in(desk: DeskKit) -> None:
    real, nobody = await ids(desk), desk.nobody()
    for method, path, _ in closed(desk):
        seen = await ask(nobody, method, path.format(**real))
        assert (seen.status, seen.headers["location"][:13]) == (303, "/desk/sign-in"), f"{method} {path}"
        assert not seen.text
    part = await nobody.get("/desk", **{"HX-Request": "true"})
    assert (part.status, part.text) == (401, "")


async def test_no_role_gets_more_than_its_rights(desk: DeskKit) -> None:
    real = await ids(desk)
    people = {role: await desk.person(who) for role, who in BY_ROLE.items()}
    asked = 0
    for method, path, opt in closed(desk):
        for role, person in people.items():
            if opt["right"] not in OF_ROLES[role]:
                seen = await ask(person, method, path.format(**real))
                assert seen.status == 403, f"{method} {path} as {role}: {seen.status}"
                asked += 1
    assert asked > 40


async def test_another_tenant_learns_nothing_and_changes_nothing(desk: DeskKit) -> None:
    """What is there and another's is answered as what never was, and as a refusal."""
    real = await ids(desk)
    none = {name: "99999999999" if value.isdecimal() else value for name, value in real.items()}
    wrong, before, asked = [], await whole(desk), 0
    for method, path, opt in closed(desk):
        if "{" not in path or path in OWN:
            continue
        person = await desk.person(STRANGERS[opt["right"]])
        theirs, nothing = [await ask(person, method, path.format(**each)) for each in (real, none)]
        if not 400 <= theirs.status < 500 or (theirs.status, plain(theirs, real)) != (
            nothing.status, plain(nothing, none),
        ):  # fmt: skip
            wrong.append((method, path, theirs.status, nothing.status))
        asked += 1
    assert not wrong
    assert asked > 20
    assert await whole(desk) == before


def plain(seen: Seen, used: dict[str, str]) -> str:
    """The page without the ids that it was asked for by."""
    ids_used = "|".join(sorted({re.escape(each) for each in used.values() if len(each) > 3}, key=len, reverse=True))
    return re.sub(ids_used, "", seen.text) if ids_used else seen.text


async def whole(desk: DeskKit) -> list[Any]:
    """What of `acme` a request of somebody else could change."""
    tables = sorted(
        {*TABLES.values(), "texts", "agent_statuses", "opt_outs", "blocked_numbers", "desk_chats", "tenants"}
    )
    return [
        await desk.db.fetchval(
            f"select md5(string_agg(t::text, '|' order by t::text)) from {table} t where tenant_id = 1"
        )
        for table in tables
    ]
