"""The page's panel of faults: a control for each field of `Faults`, with the field's own docstring as its help."""

import ast
import inspect
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from textwrap import dedent
from typing import Any

import msgspec

from smsdesk.lab.faults import Faults
from smsdesk.lab.profiles import PROFILES, ChosenProfile, Profile

_GROUPS = {
    "lose_answer": "Texts and their answers",
    "drop": "Connections",
    "undeliver": "Phones and receipts",
    "repeat_reply": "Replies",
}
"""The first field of each group; the others follow in the order of `Faults`."""


@cache
def _template() -> Template:
    return Template((Path(__file__).parent / "templates" / "fault.html").read_text("utf-8").rstrip("\n"))


@cache
def helps(kind: type) -> dict[str, str]:
    """The docstring that stands below each field of a struct; empty where there is none."""
    body = ast.parse(dedent(inspect.getsource(kind))).body[0]
    found: dict[str, str] = {}
    name = ""
    for statement in body.body if isinstance(body, ast.ClassDef) else ():
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            name = statement.target.id
            found[name] = ""
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) and name:
            found[name] = " ".join(str(statement.value.value).split())
    return found


def changed(faults: Faults) -> dict[str, Any]:
    """The faults that are not at their default, by name."""
    return {name: value for name, value in msgspec.structs.asdict(faults).items() if value != getattr(Faults(), name)}


def switched_on(faults: Faults, profile: ChosenProfile) -> str:
    """What is not as on a perfect network, in words; empty where all is."""
    count = len(changed(faults))
    words = [f"{count} {'fault' if count == 1 else 'faults'} on"] if count else []
    return ", ".join(words + ([f"profile {profile.name}"] if profile.name != "perfect" else []))


def parts(faults: Faults, profile: ChosenProfile) -> dict[str, str]:
    """The panel's two forms, each under its name in the template."""
    names = [*PROFILES, *([profile.name] if profile.name not in PROFILES else [])]
    return {
        "profiles": "".join(
            f'<option value="{escape(name)}" {"selected" if name == profile.name else ""}>{escape(name)}</option>'
            for name in names
        ),
        "profile_note": escape(_numbers(profile)),
        "faults": _controls(faults),
    }


def _numbers(profile: ChosenProfile) -> str:
    own = msgspec.structs.asdict(profile)
    said = [f"{name} {own[name]:g}" for name in msgspec.structs.asdict(Profile()) if own[name]]
    return ", ".join(said) or "No delays, no losses."


def _controls(faults: Faults) -> str:
    on, pieces = changed(faults), []
    for field in msgspec.structs.fields(Faults):
        if field.name in _GROUPS:
            pieces.append(f"<h3>{_GROUPS[field.name]}</h3>")
        pieces.append(
            _template().substitute(
                state="on" if field.name in on else "",
                name=field.name,
                label=field.name.replace("_", " "),
                control=_control(field, getattr(faults, field.name)),
                help=escape(helps(Faults)[field.name]),
            )
        )
    return "".join(pieces)


def _control(field: msgspec.structs.FieldInfo, value: Any) -> str:
    name = field.name
    common = f'id="f-{name}" name="{name}" aria-describedby="h-{name}" data-default="{escape(str(field.default))}"'
    kind = msgspec.inspect.type_info(field.type)
    if isinstance(kind, msgspec.inspect.BoolType):
        return f'<input type="checkbox" role="switch" {common} {"checked" if value else ""}>'
    if isinstance(kind, msgspec.inspect.LiteralType):
        chosen = (f"<option {'selected' if one == value else ''}>{one}</option>" for one in kind.values)
        return f"<select {common}>{''.join(chosen)}</select>"
    if isinstance(kind, msgspec.inspect.FloatType) and kind.le == 1:
        slider = f'<input type="range" {common} min="0" max="1" step="0.01" value="{value}">'
        return f'{slider}<output for="f-{name}">{value:.0%}</output>'
    if isinstance(kind, msgspec.inspect.FloatType):
        return f'<input type="number" {common} min="0" max="{kind.le}" step="0.1" value="{value:g}">'
    if isinstance(kind, msgspec.inspect.IntType):
        return f'<input type="number" {common} min="{kind.ge}" max="{kind.le}" step="1" value="{value}">'
    return f'<input {common} value="{escape(str(value))}">'
