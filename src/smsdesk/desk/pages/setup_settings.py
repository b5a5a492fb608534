"""The settings of the tenant: a form for each group of them."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from smsdesk.crm.registry import CRMS
from smsdesk.desk.forms.configs import inherited_of
from smsdesk.desk.forms.fields import BLANK_ROWS
from smsdesk.desk.forms.kinds import Placed
from smsdesk.desk.forms.reading import first, read_form
from smsdesk.desk.forms.settings import GROUPS, Group, group_fields, setting_defaults
from smsdesk.desk.forms.showing import Filling, Inherited, mistakes_in, show_form
from smsdesk.desk.pages.setup_forms import MORE_ROWS, faults_of
from smsdesk.desk.pages.setup_nav import ADMIN, SETTINGS, sections
from smsdesk.desk.pages.setup_plan import ADMINISTER, Draft, digest_of, plan_draft, read_setup, read_typed, show_plan
from smsdesk.desk.render import page
from smsdesk.desk.services import Desk
from smsdesk.desk.visitor import Visitor
from smsdesk.domain.setup import State
from smsdesk.setup.carriers import defaults
from smsdesk.setup.export import settings_of
from smsdesk.setup.faults import SetupError
from smsdesk.setup.writing import as_yaml


def routes_of(group: Group) -> list[Any]:
    """The form of a group, and what saving it plans."""

    @get(f"{SETTINGS}/{group.name}", opt=ADMINISTER, name=f"setup {group.name}")
    async def show_group(
        desk: NamedDependency[Desk],
        visitor: NamedDependency[Visitor],
        kind: FromQuery[str] = "",
        done: FromQuery[int] = 0,
    ) -> Response[Any]:
        state = await read_setup(desk, visitor)
        return _show(visitor, group, state, kind, Filling(_document(state, group, kind)), done=done)

    @post(f"{SETTINGS}/{group.name}", status_code=200, opt=ADMINISTER, name=f"plan {group.name}")
    async def plan_group(
        request: Request[Any, Any, Any], desk: NamedDependency[Desk], visitor: NamedDependency[Visitor]
    ) -> Response[Any]:
        typed, state = await read_typed(request), await read_setup(desk, visitor)
        kind, step = first(typed, "of_kind"), first(typed, "step")
        fields = group_fields(group, _crm(state, kind))
        values = {"crm": None} if step == "delete" and group.name == "crm" else read_form(fields, typed)
        placed = Placed({"tenant": visitor.tenant.subdomain, "settings": values}, "settings.")
        faults: list[tuple[str, str]] = []
        if step in ("", "plan", "delete"):
            text, back = as_yaml(placed.document), f"{SETTINGS}/{group.name}"
            try:
                planned = await plan_draft(desk, visitor, text, visitor.words.say("this form"))
                return show_plan(visitor, planned, Draft(text, back, typed, back))
            except SetupError as error:
                faults = faults_of(error, placed)
        filling = Filling(values, faults, {}, MORE_ROWS if step == "rows" else BLANK_ROWS)
        return _show(visitor, group, state, kind, filling, status=422 if faults else 200)

    return [show_group, plan_group]


def _crm(state: State, kind: str) -> str:
    """The type of CRM that is asked for, else the one that stands."""
    stands = (state.things.get(("settings", ""), {}).get("crm") or {}).get("type", "")
    return kind if kind in CRMS else stands


def _document(state: State, group: Group, kind: str) -> dict[str, Any]:
    settings = settings_of(state.things.get(("settings", ""), {}))
    if group.name == "crm":
        crm = settings.get("crm") or {}
        return {"crm": crm if crm.get("type") == _crm(state, kind) else {"type": kind}}
    return settings


def _inherited(state: State, group: Group, kind: str) -> dict[str, Inherited]:
    crm = _crm(state, kind)
    if group.name == "crm" and crm:
        return inherited_of(defaults(CRMS[crm].Config), "crm.")
    return setting_defaults(state)


def _show(visitor: Visitor, group: Group, state: State, kind: str, filling: Filling, **more: Any) -> Response[Any]:
    crm, say = _crm(state, kind) if group.name == "crm" else "", visitor.words.say
    filling = Filling(filling.document, filling.faults, _inherited(state, group, kind), filling.blank_rows)
    fields, above = show_form(group_fields(group, crm), filling)
    path, stands = f"{SETTINGS}/{group.name}", bool(state.things.get(("settings", ""), {}).get("crm"))
    values = {
        "title": say(group.title), "about": say(group.about), "action": path, "back": path, "key": "", "of_kind": crm,
        "fields": fields, "above": above, "mistakes": mistakes_in(fields), "digest": digest_of(state), "goals": [],
        "removable": bool(crm) and stands, "invite": "", "types": sorted(CRMS) if group.name == "crm" else [],
    }  # fmt: skip
    return page(visitor, "setup_form.html", here=ADMIN, at=path, sections=sections(visitor), **{**values, **more})


PAGES = [route for group in GROUPS for route in routes_of(group)]
