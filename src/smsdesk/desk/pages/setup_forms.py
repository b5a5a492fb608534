"""A form for each thing that a set-up file can name. Saving shows the plan; only the plan's page applies anything."""

from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from smsdesk.carriers.registry import CARRIERS
from smsdesk.desk.forms.fields import BLANK_ROWS
from smsdesk.desk.forms.kinds import KINDS, Listed, Placed, place, place_removal
from smsdesk.desk.forms.reading import Typed, first, read_form
from smsdesk.desk.forms.showing import Filling, as_name, mistakes_in, show_form
from smsdesk.desk.forms.things import Form
from smsdesk.desk.pages.setup_lists import columns_of
from smsdesk.desk.pages.setup_nav import ADMIN, sections
from smsdesk.desk.pages.setup_plan import ADMINISTER, Draft, digest_of, plan_draft, read_setup, read_typed, show_plan
from smsdesk.desk.render import page
from smsdesk.desk.services import Desk
from smsdesk.desk.visitor import Visitor
from smsdesk.domain.setup import State
from smsdesk.errors import Problem
from smsdesk.setup.export import limit_of
from smsdesk.setup.faults import SetupError
from smsdesk.setup.queues import children_of
from smsdesk.setup.writing import as_yaml

MORE_ROWS = 10


@dataclass(frozen=True, slots=True)
class Opened:
    """A form on its page: which thing, and what stands in its fields."""

    listed: Listed
    name: str | None
    state: State
    form: Form
    filling: Filling


def routes_of(listed: Listed) -> list[Any]:
    """The list of a kind, the form of one thing, and what saving it plans."""

    @get(f"{ADMIN}/{listed.section}", opt=ADMINISTER, name=f"setup {listed.section}")
    async def show_list(
        desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], done: FromQuery[int] = 0
    ) -> Response[Any]:
        state = await read_setup(desk, visitor)
        return page(
            visitor, "setup_list.html", here=ADMIN, at=f"{ADMIN}/{listed.section}", sections=sections(visitor),
            listed=listed, table=columns_of(state, listed, visitor.words.say), types=sorted(CARRIERS), done=done,
        )  # fmt: skip

    @get(f"{ADMIN}/{listed.section}/edit", opt=ADMINISTER, name=f"edit {listed.section}")
    async def show_one(
        desk: NamedDependency[Desk],
        visitor: NamedDependency[Visitor],
        name: FromQuery[str] = "",
        kind: FromQuery[str] = "",
    ) -> Response[Any]:
        state = await read_setup(desk, visitor)
        form = _form(state, listed, name or None, kind)
        return _show(visitor, Opened(listed, name or None, state, form, Filling(form.document, (), form.inherited)))

    @post(f"{ADMIN}/{listed.section}/edit", status_code=200, opt=ADMINISTER, name=f"plan {listed.section}")
    async def plan_one(
        request: Request[Any, Any, Any], desk: NamedDependency[Desk], visitor: NamedDependency[Visitor]
    ) -> Response[Any]:
        typed = await read_typed(request)
        state = await read_setup(desk, visitor)
        name = first(typed, "key") or None
        form = _form(state, listed, name, first(typed, "of_kind"))
        return await _answer(desk, visitor, typed, Opened(listed, name, state, form, Filling({})))

    return [show_list, show_one, plan_one]


def _form(state: State, listed: Listed, name: str | None, kind: str) -> Form:
    """The form of a thing that is there, or of a new one. Raises Problem `not_found`."""
    if name is not None and (listed.kind, name) not in state.things:
        raise Problem("not_found")
    if listed.kind == "queue" and name is None and kind and ("queue", kind) not in state.things:
        raise Problem("not_found")
    form = listed.make(state, name, kind)
    if not form.fields:
        raise Problem("not_found")
    return form


async def _answer(desk: Desk, visitor: Visitor, typed: Typed, opened: Opened) -> Response[Any]:
    """The plan of what was typed; or the form again, with all that was typed, and what is wrong with it."""
    listed, name, step = opened.listed, opened.name, first(typed, "step")
    values = read_form(opened.form.fields, typed)
    if step == "delete" and name is not None:
        goal = first(typed, "move_chats_to")
        placed = place_removal(visitor.tenant.subdomain, listed, _key_of(opened.state, listed, name), goal)
    else:
        placed = place(visitor.tenant.subdomain, listed, values, name)
    faults: list[tuple[str, str]] = []
    if step in ("", "plan", "delete"):
        try:
            planned = await plan_draft(desk, visitor, as_yaml(placed.document), visitor.words.say("this form"))
            back = f"{ADMIN}/{listed.section}"
            draft = Draft(as_yaml(placed.document), back, {} if step == "delete" else typed, f"{back}/edit")
            return show_plan(visitor, planned, draft)
        except SetupError as error:
            faults = faults_of(error, placed)
    rows = MORE_ROWS if step == "rows" else BLANK_ROWS
    shown = {**values, **({} if name is None else _fixed(opened.form))}
    filling = Filling(shown, faults, opened.form.inherited, rows)
    return _show(visitor, Opened(listed, name, opened.state, opened.form, filling), 422 if faults else 200)


def faults_of(error: SetupError, placed: Placed) -> list[tuple[str, str]]:
    """The mistakes as the form's fields know them: those of another part of the file stand above the form."""
    found = []
    for fault in error.faults:
        path = as_name(fault.place.path)
        own = path.removeprefix(placed.prefix) if path.startswith(placed.prefix) else ""
        found.append((own, fault.says))
    return found


def _fixed(form: Form) -> dict[str, Any]:
    return {each.name: form.document[each.name] for each in form.fields if each.fixed and each.name in form.document}


def _key_of(state: State, listed: Listed, name: str) -> dict[str, Any]:
    """What a file names a thing by."""
    if listed.kind == "limit":
        return {key: each for key, each in limit_of(name, state.of("limit")[name]).items() if key != "segments"}
    return {listed.key: name}


def _show(visitor: Visitor, opened: Opened, status: int = 200) -> Response[Any]:
    listed, name, form = opened.listed, opened.name, opened.form
    fields, above = show_form(form.fields, opened.filling)
    queues = opened.state.of("queue")
    goals = [path for path in sorted(queues) if path != name and not children_of(path, queues)]
    say, path = visitor.words.say, f"{ADMIN}/{listed.section}"
    title = say("{kind}: {name}", kind=say(listed.title), name=name) if name else say(listed.add)
    values = {
        "title": title, "about": say(listed.about), "action": f"{path}/edit", "back": path, "key": name or "",
        "of_kind": form.type or opened.filling.document.get("parent") or "", "fields": fields, "above": above,
        "mistakes": mistakes_in(fields), "digest": digest_of(opened.state), "types": [],
        "removable": name is not None and listed.kind != "agent", "goals": goals if listed.kind == "queue" else [],
        "invite": (name or "") if listed.kind == "agent" else "",
    }  # fmt: skip
    return page(visitor, "setup_form.html", status, here=ADMIN, at=path, sections=sections(visitor), **values)


PAGES = [route for listed in KINDS.values() for route in routes_of(listed)]
