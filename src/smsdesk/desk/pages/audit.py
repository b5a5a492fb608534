"""Who changed what."""

import csv
import io
import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from litestar import Response, Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromQuery

from smsdesk.desk.filters import iso
from smsdesk.desk.render import page
from smsdesk.desk.services import Desk
from smsdesk.desk.visitor import Visitor
from smsdesk.domain.audit import PastDeed
from smsdesk.store.audit import list_deeds

ADMINISTER = {"right": "administer"}
SHOWN, MOST_IN_A_FILE = 50, 10_000
_PLACE = re.compile(r"([0-9]{1,17})-([0-9]{1,18})")
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@get("/desk/admin/audit", opt=ADMINISTER)
async def show(
    desk: NamedDependency[Desk],
    visitor: NamedDependency[Visitor],
    asked: NamedDependency[dict[str, str]],
    before: FromQuery[str] = "",
) -> Response[str]:
    """A page of the audit, the latest first."""
    async with desk.db.connection() as conn:
        deeds = await list_deeds(conn, visitor.tenant_id, _wanted(visitor, asked), _place(before), SHOWN + 1)
    last = deeds[SHOWN - 1] if len(deeds) > SHOWN else None
    return page(
        visitor,
        "audit.html",
        here="/desk/admin",
        deeds=[(one, details(one.deed.details)) for one in deeds[:SHOWN]],
        asked=asked,
        before=before,
        older=f"{(last.at - _EPOCH) // _MICROSECOND}-{last.audit_id}" if last else "",
        people=sorted(visitor.tenant.agents.values(), key=lambda one: one.name or one.email),
    )


@get("/desk/admin/audit.csv", opt=ADMINISTER)
async def as_file(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], asked: NamedDependency[dict[str, str]]
) -> Response[str]:
    """The same as a file: the latest MOST_IN_A_FILE deeds that were asked for."""
    async with desk.db.connection() as conn:
        deeds = await list_deeds(conn, visitor.tenant_id, _wanted(visitor, asked), None, MOST_IN_A_FILE)
    said = io.StringIO()
    rows = csv.writer(said)
    rows.writerow(["at", "source", "who", "action", "subject", "details"])
    rows.writerows([_cell(one) for one in _row(each)] for each in deeds)
    headers = {"content-disposition": 'attachment; filename="audit.csv"'}
    return Response(said.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def provide_asked(
    person: FromQuery[str] = "",
    action: FromQuery[str] = "",
    subject: FromQuery[str] = "",
    since: FromQuery[str] = "",
    until: FromQuery[str] = "",
) -> dict[str, str]:
    """The filters as they were typed."""
    typed = {"person": person, "action": action, "subject": subject, "since": since, "until": until}
    return {name: said.replace("\0", "")[:200].strip() for name, said in typed.items()}


def details(said: Mapping[str, Any]) -> list[str]:
    """What a deed tells beside its subject, a line each; what changed as old → new."""
    lines: list[str] = []
    for name, value in said.items():
        if isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
            lines += [line for one in value for line in _change(one)]
        elif isinstance(value, Mapping) and {"old", "new"} <= value.keys():
            lines.append(_moved(name, value))
        else:
            lines.append(f"{name}: {_plain(value)}")
    return lines


def _change(one: Mapping[str, Any]) -> list[str]:
    """A change of the set-up, as `setup.plan.as_json` has it: a line for each field."""
    said = " ".join(_plain(value) for name, value in one.items() if name not in ("old", "new", "fields"))
    if {"old", "new"} <= one.keys():
        return [_moved(said, one)]
    fields = one.get("fields")
    if not isinstance(fields, Mapping) or not fields:
        return [said]
    return [_moved(f"{said}, {name}", each) for name, each in fields.items() if isinstance(each, Mapping)]


def _moved(name: str, value: Mapping[str, Any]) -> str:
    return f"{name}: {_plain(value.get('old'))} → {_plain(value.get('new'))}"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else "–" if value is None else json.dumps(value, ensure_ascii=False)


def _wanted(visitor: Visitor, asked: Mapping[str, str]) -> dict[str, Any]:
    wanted: dict[str, Any] = {name: asked[name] for name in ("action", "subject") if asked[name]}
    if asked["person"].isascii() and asked["person"].isdecimal() and len(asked["person"]) < 19:
        wanted["agent_id"] = int(asked["person"])
    elif asked["person"] in ("api", "command", "desk"):
        wanted["source"] = asked["person"]
    if since := _midnight(visitor, asked["since"]):
        wanted["since"] = since
    if until := _midnight(visitor, asked["until"]):
        wanted["until"] = until + timedelta(days=1)
    return wanted


def _midnight(visitor: Visitor, said: str) -> datetime | None:
    try:
        day = date.fromisoformat(said)
    except ValueError:
        return None
    return datetime.combine(day, time(), visitor.zone) if 1970 < day.year < 9999 else None


def _place(said: str) -> tuple[datetime, int] | None:
    found = _PLACE.fullmatch(said)
    return (_EPOCH + _MICROSECOND * int(found[1]), int(found[2])) if found else None


def _row(past: PastDeed) -> list[str]:
    deed = past.deed
    said = json.dumps(deed.details, ensure_ascii=False) if deed.details else ""
    return [iso(past.at), deed.author.source, past.name, deed.action, deed.subject, said]


def _cell(said: str) -> str:
    """What a table program must not take for a formula gets an apostrophe (OWASP: CSV injection)."""
    return f"'{said}" if said.startswith(_FORMULA) else said


PAGES = [
    Router("/", route_handlers=[show, as_file], dependencies={"asked": Provide(provide_asked, sync_to_thread=False)})
]
