"""/apps/api/v1/consents: who must not be texted from which numbers of ours, and how that came.

An addition of ours to the imitated API.
"""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter, QueryParameter
from litestar.response import Stream

from smsdesk.actions.import_consent import Imported, import_consent
from smsdesk.actions.restore_consent import restore_consent
from smsdesk.actions.revoke_consent import revoke_consent
from smsdesk.api.pages import Page, page_headers
from smsdesk.api.services import Caller, Services
from smsdesk.api.v1.chat_object import time
from smsdesk.api.v1.chats import MOST_ID, REFUSALS, PageNumber, PerPage
from smsdesk.api.v1.consent_request import read_phone, who_says
from smsdesk.domain.consent import Scope
from smsdesk.domain.consent_list import LONGEST_WORDS, ConsentLine, write_lines
from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.steps.consent import Said
from smsdesk.store import consent
from smsdesk.store.consent import ConsentEvent, OptOutFilter

MOST_FILE = 8 * 1024 * 1024
"""Bytes of a file of opt-outs: some 100,000 lines. A larger one is for the command line, or for several requests."""
LINES = 1_000
"""Lines of an export that are read at once."""
ScopeKind = Literal["number", "brand", "all"]
_Number = Annotated[str, PathParameter(description="A phone number, such as +14155550100.")]


class OptOutObject(msgspec.Struct):
    """An opt-out that stands: no text leaves to `number` from the numbers of ours that it covers."""

    number: str
    scope: str
    of: str | None
    """The number or brand that it covers; null for `all`."""
    since: str
    source: str
    words: str


class EventObject(msgspec.Struct):
    """A change of consent. `rule` gave the scope; `reason` is why the words were taken for what they were."""

    at: str
    status: Literal["revoked", "granted"]
    scope: str
    of: str | None
    source: str
    actor: str | None
    words: str
    rule: str | None
    reason: str | None


class ConsentObject(msgspec.Struct):
    """How it stands with a number, and how that came; a number that nobody knows is `granted` without a history."""

    number: str
    status: Literal["revoked", "granted"]
    opt_outs: list[OptOutObject]
    history: list[EventObject]


class ConsentChange(msgspec.Struct):
    """What was said about a number, and how. `words` is for whoever has to prove it: what was said or signed."""

    number: str
    status: Literal["revoked", "granted"]
    scope: ScopeKind | None = None
    of: str | None = None
    words: Annotated[str, msgspec.Meta(max_length=LONGEST_WORDS)] = ""
    agent_id: Annotated[int, msgspec.Meta(ge=1, le=MOST_ID)] | None = None


@get("/consents", summary="List opt-outs", responses=REFUSALS)
async def list_consents(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    request: Request[Any, Any, Any],
    page: PageNumber = 1,
    per: PerPage = 100,
    number: Annotated[str | None, QueryParameter(description="Only this phone's.")] = None,
    scope_kind: Annotated[
        ScopeKind | None, QueryParameter(name="scope", description="Only those of this scope.")
    ] = None,
    of: Annotated[str | None, QueryParameter(description="Only those of this number of ours, or brand.")] = None,
    source: Annotated[
        Literal["text", "api", "agent", "carrier", "file"] | None, QueryParameter(description="Only those from there.")
    ] = None,
) -> Response[list[OptOutObject]]:
    """The opt-outs that stand, by number."""
    tenant_id, at = caller.tenant.tenant_id, Page(page, per)
    wanted = OptOutFilter(read_phone(number, caller.tenant) if number else None, scope_kind, of, source)
    async with services.db.connection() as conn:
        total = await consent.count_opt_outs(conn, tenant_id, wanted)
        lines = await consent.list_opt_outs(conn, tenant_id, wanted, per, at.offset)
    return Response([_opt_out(line) for line in lines], headers=page_headers(request.url, at, total))


@get("/consents.csv", summary="Export opt-outs", media_type="text/csv", responses=REFUSALS)
async def export_consents(services: NamedDependency[Services], caller: NamedDependency[Caller]) -> Stream:
    """All opt-outs that stand, by number, as a CSV file that `POST /consents/import` takes."""

    async def chunks() -> AsyncIterator[str]:
        yield write_lines([])
        last: ConsentLine | None = None
        while True:
            async with services.db.connection() as conn:
                lines = await consent.next_opt_outs(conn, caller.tenant.tenant_id, last, LINES)
            if not lines:
                return
            yield write_lines(lines, head=False)
            last = lines[-1]

    return Stream(chunks(), media_type="text/csv; charset=utf-8")


@get("/consents/{number:str}", summary="Read how it stands with a number", responses=REFUSALS)
async def read_consent(
    services: NamedDependency[Services], caller: NamedDependency[Caller], number: _Number
) -> ConsentObject:
    """Whether a number may be texted, from which numbers of ours it may not, and all that is known of how that came."""
    return await _consent(services, caller.tenant.tenant_id, read_phone(number, caller.tenant))


@post("/consents", status_code=200, summary="Note a change of consent", responses=REFUSALS)
async def change_consent(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[ConsentChange]
) -> ConsentObject:
    """Notes what a consumer said elsewhere than in a text. A revocation without a `scope` covers all numbers of ours; a
    grant without one ends whatever stands, and needs `words`. Nothing is sent to the consumer."""
    tenant = caller.tenant
    number = read_phone(data.number, tenant)
    scope = _scope(data, tenant)
    source, actor = who_says(data.agent_id, caller)
    said = Said(number, data.words.strip(), source, actor)
    if data.status == "revoked":
        await revoke_consent(services.begin, tenant.tenant_id, said, scope or Scope())
    elif not said.words:
        raise Problem("parameter_invalid", "words: say how consent was given, for whoever has to prove it")
    else:
        await restore_consent(services.begin, tenant.tenant_id, said, scope)
    return await _consent(services, tenant.tenant_id, number)


@post(
    "/consents/import", status_code=200, summary="Import opt-outs", responses=REFUSALS, request_max_body_size=MOST_FILE
)
async def import_consents(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    request: Request[Any, Any, Any],
    skip_bad: Annotated[bool, QueryParameter(description="Take in the good lines although others are bad.")] = False,
    name: Annotated[str, QueryParameter(description="The file's name, for the history.", max_length=200)] = "import",
) -> Imported:
    """Takes in a CSV file (the body) with the columns number, scope, scope_of, at, source and words, of which only
    `number` must be there. Nothing is taken in where a line is bad, unless `skip_bad` is set; `bad` lists
    them."""
    try:
        text = (await request.body()).decode()
    except UnicodeDecodeError:
        raise Problem("parameter_invalid", "the file must be in UTF-8") from None
    regions = frozenset(caller.tenant.settings.allowed_regions)
    return await import_consent(
        services.begin, caller.tenant.tenant_id, text, name, regions, skip_bad=skip_bad
    )  # fmt: skip


def _scope(change: ConsentChange, tenant: Tenant) -> Scope | None:
    if change.scope is None:
        if change.of:
            raise Problem("parameter_invalid", "of: needs a scope, number or brand")
        return None
    of = (change.of or "").strip()
    known = {
        "all": {""},
        "number": set(tenant.numbers),
        "brand": {number.brand for number in tenant.numbers.values() if number.brand},
    }[change.scope]
    if change.scope == "number":
        of = read_phone(of, tenant, "of")
    if of not in known:
        meant = "must be left out for all" if change.scope == "all" else f"is no {change.scope} of this tenant"
        raise Problem("parameter_invalid", f"of: {meant}")
    return Scope(change.scope, of)


async def _consent(services: Services, tenant_id: int, number: str) -> ConsentObject:
    async with services.db.transaction() as conn:
        lines = await consent.list_opt_outs(conn, tenant_id, OptOutFilter(number), 1_000)
        history = await consent.read_history(conn, tenant_id, number)
    status: Literal["revoked", "granted"] = "revoked" if lines else "granted"
    return ConsentObject(number, status, [_opt_out(line) for line in lines], [_event(event) for event in history])


def _opt_out(line: ConsentLine) -> OptOutObject:
    return OptOutObject(line.number, line.scope, line.scope_of or None, time(line.at), line.source, line.words)


def _event(event: ConsentEvent) -> EventObject:
    return EventObject(
        time(event.at), "revoked" if event.kind == "opted_out" else "granted", event.scope.kind, event.scope.of or None,
        event.source, event.actor, event.words, event.scope.rule, event.reason,
    )  # fmt: skip


router = Router(
    "/",
    route_handlers=[list_consents, export_consents, read_consent, change_consent, import_consents],
    tags=["Consent"],
)  # fmt: skip
