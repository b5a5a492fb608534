"""From a document to its preview, and from that to its being applied: one way for every form and for the file."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from smsdesk.actions.change_setup import change_setup
from smsdesk.actions.plan_setup import SetupFile, plan_setup
from smsdesk.carriers.registry import CARRIERS
from smsdesk.crm.registry import CRMS
from smsdesk.desk.forms.reach import out_of_reach
from smsdesk.desk.forms.reading import Typed, first
from smsdesk.desk.pages.setup_nav import ADMIN, sections
from smsdesk.desk.render import fragment, page
from smsdesk.desk.services import Desk
from smsdesk.desk.visitor import Visitor
from smsdesk.domain.setup import State
from smsdesk.errors import Problem
from smsdesk.setup.document import read_documents
from smsdesk.setup.faults import Fault, SetupError
from smsdesk.setup.items import tenant_of
from smsdesk.setup.plan import SetupMoved, TenantPlan, as_json, render
from smsdesk.steps.rights import require_right
from smsdesk.store.setup import read_state

ADMINISTER = {"right": "administer"}
_KEPT = ("document", "digest", "back", "again", "step")


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants to apply: the text of a file, where he came from, and what he had typed there."""

    text: str
    back: str
    typed: Typed
    again: str = ""
    """Where the form is had with what was typed in it."""


async def read_setup(desk: Desk, visitor: Visitor) -> State:
    """The set-up as it stands. Raises Problem `forbidden` for who does not administer it."""
    async with desk.begin(visitor.tenant_id) as work:
        await require_right(work.conn, visitor.tenant_id, visitor.agent_id, "administer")
        return await read_state(work.conn, visitor.tenant.subdomain)


def digest_of(state: State) -> str:
    """What a set-up is known by: another one has another."""
    things = sorted((key, sorted((name, repr(value)) for name, value in each.items())) for key, each in
                    state.things.items())  # fmt: skip
    return hashlib.sha256(repr(things).encode("utf-8", "surrogatepass")).hexdigest()[:32]


async def plan_draft(desk: Desk, visitor: Visitor, text: str, name: str) -> TenantPlan:
    """The plan of a document for this person's own tenant. Raises SetupError with all that is wrong."""
    state = await read_setup(desk, visitor)
    data = text.encode("utf-8", "replace")
    documents = read_documents(data, name)
    faults = list(_foreign(documents, visitor.tenant.subdomain))
    if not faults:
        others = desk.directory.tenants.keys() - {visitor.tenant.subdomain}
        faults = [fault for each in documents for fault in out_of_reach(each.root, state, others)]
    if faults:
        raise SetupError(name, faults)
    configs = {kind: each.Config for kind, each in CARRIERS.items()}
    crms = {kind: each.Config for kind, each in CRMS.items()}
    file = SetupFile(name, data, Path(), configs, desk.environ, crms)
    (planned,) = await plan_setup(desk.db, file, desk.secret)
    return planned


def _foreign(documents: Any, subdomain: str) -> Any:
    for document in documents[1:]:
        yield Fault(document.root.place, "one document is enough here: that of your own tenant")
    # Reading the name records what is wrong with it, and would record it twice.
    named = tenant_of(documents[0])
    yield from documents[0].faults
    documents[0].faults.clear()
    if named is not None and named != subdomain:
        yield Fault(documents[0].root.fields()["tenant"].place, f"write `tenant: {subdomain}`, as this desk is theirs")


def show_plan(
    visitor: Visitor, planned: TenantPlan, draft: Draft, notice: str = "", status: int = 200
) -> Response[Any]:
    """The preview: what would be made, changed and taken away, and what stands against it."""
    lines = [(_sign(line), line) for line in render(planned)[1:]]
    kept = [(name, value) for name, values in draft.typed.items() if name not in _KEPT for value in values]
    values = {"planned": planned, "lines": lines, "draft": draft, "digest": digest_of(planned.current), "kept": kept}
    return page(visitor, "setup_plan.html", status, here=ADMIN, at="", sections=sections(visitor), notice=notice,
                plan_json=as_json(planned), **values)  # fmt: skip


def _sign(line: str) -> str:
    return {"+": "made", "~": "changed", "-": "gone"}.get(line.strip()[:1], "") if not line.startswith("    ") else "of"


@post(f"{ADMIN}/apply", status_code=200, opt=ADMINISTER)
async def apply_plan(
    request: Request[Any, Any, Any], desk: NamedDependency[Desk], visitor: NamedDependency[Visitor]
) -> Response[Any]:
    """Makes the changes that the preview showed; where the set-up has moved meanwhile, shows the preview anew."""
    typed = await read_typed(request)
    draft = Draft(first(typed, "document"), _way_back(first(typed, "back")), typed, _way_back(first(typed, "again")))
    try:
        planned = await plan_draft(desk, visitor, draft.text, "this form")
        if digest_of(planned.current) == first(typed, "digest"):
            await change_setup(desk.begin, visitor.tenant_id, visitor.agent_id, planned)
            await desk.directory.refresh()
            return Response(b"", status_code=303, headers={"location": done(draft.back, planned)})
        planned = await plan_draft(desk, visitor, draft.text, "this form")
    except SetupMoved:
        planned = await plan_draft(desk, visitor, draft.text, "this form")
    except SetupError as error:
        raise Problem("parameter_invalid", "; ".join(fault.says for fault in error.faults)) from None
    say = visitor.words.say
    moved = say("Somebody else has changed the set-up meanwhile. Nothing was applied: this is what would change now.")
    return show_plan(visitor, planned, draft, moved, 409)


@get(f"{ADMIN}/moved", opt=ADMINISTER)
async def tell_moved(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], digest: FromQuery[str] = ""
) -> Response[Any]:
    """A notice for an open form, where the set-up is not the one that it was filled from any more."""
    moved = digest_of(await read_setup(desk, visitor)) != digest
    return fragment(visitor, "parts/setup_moved.html", moved=moved, digest=digest)


def done(back: str, planned: TenantPlan) -> str:
    """The address to go on at, with how much was changed."""
    return f"{back}{'&' if '?' in back else '?'}done={len(planned.changes)}"


def _way_back(path: str) -> str:
    """A page of the set-up, whatever the form says."""
    ours = path == ADMIN or path.startswith((f"{ADMIN}/", f"{ADMIN}?"))
    return path if ours and path.isascii() and path.isprintable() else ADMIN


async def read_typed(request: Request[Any, Any, Any]) -> dict[str, list[str]]:
    """What a form sent; a file as its text."""
    typed: dict[str, list[str]] = {}
    for name, value in (await request.form()).multi_items():
        text = value if isinstance(value, str) else (await value.read()).decode("utf-8-sig", "replace")
        typed.setdefault(name, []).append(text)
    return typed


PAGES = [apply_plan, tell_moved]
