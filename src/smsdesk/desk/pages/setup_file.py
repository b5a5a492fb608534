"""The whole set-up as its file: to read, to copy, to change, to bring from elsewhere; and the order of queues."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from smsdesk.desk.forms.kinds import place_order
from smsdesk.desk.forms.reading import first
from smsdesk.desk.pages.setup_nav import ADMIN, sections
from smsdesk.desk.pages.setup_plan import ADMINISTER, Draft, digest_of, plan_draft, read_setup, read_typed, show_plan
from smsdesk.desk.render import page
from smsdesk.desk.services import Desk
from smsdesk.desk.visitor import Visitor
from smsdesk.domain.setup import State
from smsdesk.errors import Problem
from smsdesk.setup.export import export, export_file
from smsdesk.setup.faults import Fault, SetupError
from smsdesk.setup.queues import children_of
from smsdesk.setup.writing import as_yaml

FILE = f"{ADMIN}/file"
MOST_PRICES = 200
"""Prices that the page shows with the rest; more are in the download only."""


@get(FILE, opt=ADMINISTER)
async def show_file(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], done: FromQuery[int] = 0
) -> Response[Any]:
    """The set-up as it stands, in a place to change it."""
    state = await read_setup(desk, visitor)
    prices = sum(len(each["rates"].prices) for each in state.of("carrier").values() if each.get("rates"))
    text = as_yaml(export(state, rates=prices <= MOST_PRICES))
    return _show(visitor, state, text, [], done=done, left_out=prices > MOST_PRICES)


@get(f"{FILE}/download", opt=ADMINISTER)
async def download(desk: NamedDependency[Desk], visitor: NamedDependency[Visitor]) -> Response[Any]:
    """The set-up as a file, with all of its price lists."""
    text = export_file(await read_setup(desk, visitor))
    name = f'attachment; filename="{visitor.tenant.subdomain}.yaml"'
    return Response(text.encode(), media_type="application/yaml", headers={"content-disposition": name})


@post(FILE, status_code=200, opt=ADMINISTER)
async def plan_file(
    request: Request[Any, Any, Any], desk: NamedDependency[Desk], visitor: NamedDependency[Visitor]
) -> Response[Any]:
    """The plan of a file; or what is wrong with it, each with its line and column."""
    typed = await read_typed(request)
    text = first(typed, "upload") or first(typed, "document")
    try:
        if first(typed, "step") != "again":
            planned = await plan_draft(desk, visitor, text, visitor.words.say("this file"))
            return show_plan(visitor, planned, Draft(text, FILE, {"file": [text]}, FILE))
    except SetupError as error:
        return _show(visitor, await read_setup(desk, visitor), text, list(error.faults), 422)
    return _show(visitor, await read_setup(desk, visitor), first(typed, "file"), [])


def _show(
    visitor: Visitor, state: State, text: str, faults: list[Fault], status: int = 200, **more: Any
) -> Response[Any]:
    values = {"text": text, "faults": faults, "digest": digest_of(state), "done": 0, "left_out": False, **more}
    return page(visitor, "setup_file.html", status, here=ADMIN, at=FILE, sections=sections(visitor), **values)


@get(f"{ADMIN}/queues/order", opt=ADMINISTER)
async def show_order(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], parent: FromQuery[str] = ""
) -> Response[Any]:
    """The queues beside each other, each with its place in the menu."""
    state = await read_setup(desk, visitor)
    return page(
        visitor, "setup_order.html", here=ADMIN, at=f"{ADMIN}/queues", sections=sections(visitor), parent=parent,
        paths=_beside(state, parent),
    )  # fmt: skip


@post(f"{ADMIN}/queues/order", status_code=200, opt=ADMINISTER)
async def plan_order(
    request: Request[Any, Any, Any], desk: NamedDependency[Desk], visitor: NamedDependency[Visitor]
) -> Response[Any]:
    """The plan of another order."""
    typed = await read_typed(request)
    parent = first(typed, "parent")
    paths = _beside(await read_setup(desk, visitor), parent)

    def typed_place(path: str) -> tuple[int, int]:
        # Of two with one place, the one that was first stays first.
        words = first(typed, f"place.{path}")
        return (int(words) if words.isdecimal() and len(words) < 6 else len(paths)), paths.index(path)

    names = [path.rpartition("/")[2] for path in sorted(paths, key=typed_place)]
    text = as_yaml(place_order(visitor.tenant.subdomain, parent, names))
    try:
        planned = await plan_draft(desk, visitor, text, visitor.words.say("this form"))
    except SetupError as error:
        raise Problem("parameter_invalid", "; ".join(fault.says for fault in error.faults)) from None
    return show_plan(visitor, planned, Draft(text, f"{ADMIN}/queues", {}))


def _beside(state: State, parent: str) -> list[str]:
    queues = state.of("queue")
    paths = children_of(parent, queues)
    if not paths:
        raise Problem("not_found")
    return sorted(paths, key=lambda path: queues[path]["position"])


PAGES = [show_file, download, plan_file, show_order, plan_order]
