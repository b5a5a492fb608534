"""The forms know every key that the file's readers know, and give back what they were filled with."""

import ast
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from smsdesk.carriers.registry import CARRIERS
from smsdesk.crm.registry import CRMS
from smsdesk.desk.forms.configs import config_fields
from smsdesk.desk.forms.fields import Field, words_of
from smsdesk.desk.forms.kinds import KINDS
from smsdesk.desk.forms.prose import helps, label_of
from smsdesk.desk.forms.queue import queue_setting_fields
from smsdesk.desk.forms.reading import read_form
from smsdesk.desk.forms.settings import GROUPS, group_fields
from smsdesk.desk.forms.showing import Filling, Shown, show_form
from smsdesk.desk.forms.things import carrier_form
from smsdesk.domain.queue_settings import NAMES as QUEUE_NAMES
from smsdesk.domain.queue_settings import TEXTS
from smsdesk.domain.setup import KINDS as ALL_KINDS
from smsdesk.domain.setup import State
from smsdesk.setup.settings import NAMES

SETUP = Path(__file__).parents[2] / "src" / "smsdesk" / "setup"
ELSEWHERE = {
    "tenant",
    "children",
    "deleted",
    "move_chats_to",
    "number",
    "campaign",
    "brand",
    "carrier",
    "csv",
}
"""Keys of the file that a form has in another way: the place of a queue, the button that takes away, the one thing
that a limit is of."""


def every_form() -> Iterable[Field]:
    state = State("acme", 1)
    for group in GROUPS:
        yield from group_fields(group, "zendesk")
    for listed in KINDS.values():
        yield from listed.make(state, None, "smpp" if listed.kind == "carrier" else "").fields


def names_in(fields: Iterable[Field]) -> set[str]:
    return {name for field in fields for name in (field.name, *names_in(field.fields))}


def readers_keys() -> dict[str, str]:
    """Every key of every table of readers in setup/, with its module."""
    found: dict[str, str] = {}
    for path in SETUP.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            table = None
            if isinstance(node, ast.AnnAssign) and "Reader[" in ast.unparse(node.annotation):
                table = node.value
            elif isinstance(node, ast.Call) and ast.unparse(node.func) == "mapping" and len(node.args) > 1:
                table = node.args[1]
            if isinstance(table, ast.Dict):
                found |= {key.value: path.name for key in table.keys if isinstance(key, ast.Constant)}
    return found


def test_every_key_of_the_file_has_a_field() -> None:
    known = readers_keys()
    assert {"offer_seconds", "issuer", "email", "begin", "bucket", "segments", "csv", "env"} <= set(known)
    missing = {key: module for key, module in known.items() if key not in names_in(every_form()) | ELSEWHERE}
    # Of hours and references the widgets have the keys.
    assert set(missing) == {"week", "time_zone", "holidays", "env", "file"} - names_in(every_form())


def test_every_setting_kind_and_config_has_a_form() -> None:
    assert {field.name for group in GROUPS for field in group_fields(group, "zendesk")} == NAMES
    assert {field.name for field in queue_setting_fields()} == set(QUEUE_NAMES)
    assert names_in(field for field in queue_setting_fields() if field.name == "texts") == {"texts", *TEXTS}
    assert {listed.kind for listed in KINDS.values()} | {"settings"} == set(ALL_KINDS)
    for config in [each.Config for each in (*CARRIERS.values(), *CRMS.values())]:
        names = {field.encode_name for field in msgspec.structs.fields(config)}
        assert {field.name for field in config_fields(config)} == names


def test_every_field_says_something() -> None:
    for word in words_of(list(every_form())):
        assert word.strip()
    assert label_of("tls_server_name") == "TLS server name"
    assert helps(CARRIERS["twilio"].Config)["callback_url"].startswith("Where the vendor posts to")


def typed_of(shown: Iterable[Shown]) -> dict[str, list[str]]:
    """What a browser sends of the fields."""
    typed: dict[str, list[str]] = {}
    for each in shown:
        kind = each.field.widget
        if each.field.own:
            typed[f"{each.name}:own"] = [each.kind]
        if kind == "group":
            typed |= typed_of(each.parts)
        elif kind in ("rows", "pairs"):
            typed |= {key: value for cells, _ in each.value for key, value in typed_of(cells).items()}
        elif kind == "hours":
            typed |= {f"{each.name}:kind": [each.kind], **typed_of(each.parts)}
        elif kind == "secret":
            typed |= {f"{each.name}:kind": [each.kind], each.name: [each.value]}
        elif kind == "ticks":
            typed[each.name] = list(each.value)
        else:
            typed[each.name] = [each.value]
    return typed


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (Field("a", "A"), "x"), (Field("a", "A"), None), (Field("a", "A", "integer"), 5),
        (Field("a", "A", "integer"), "five"), (Field("a", "A", "decimal"), 2.5), (Field("a", "A", "switch"), False),
        (Field("a", "A", "lines"), ["x", "y z"]), (Field("a", "A", "lines", own=True), []),
        (Field("a", "A", "area", own=True), ""), (Field("a", "A", "area", own=True), None),
        (Field("a", "A", "secret"), {"env": "X"}), (Field("a", "A", "secret"), {"file": "/x"}),
        (Field("a", "A", "pairs"), {"012": "b"}), (Field("a", "A", "json"), {"b": [1, {"c": None}]}),
        (Field("a", "A", "json"), "{nothing"), (Field("a", "A", "ticks", own=True), []),
        (Field("a", "A", "rows", fields=(Field("b", "B"), Field("c", "C", "integer"))), [{"b": "x", "c": 1}]),
        (Field("a", "A", "rows", fields=(Field("", "B"),)), ["x", "y"]),
        (Field("a", "A", "hours"), "always"), (Field("a", "A", "hours"), None),
        (Field("a", "A", "hours"), {"time_zone": "UTC", "week": {"mon": ["9-1", "2-3"]}, "holidays": {"x": "closed"}}),
        (Field("a", "A", "group", fields=(Field("b", "B", "switch"),)), {"b": True}),
    ],
)  # fmt: skip
def test_what_a_field_shows_is_read_as_the_same(field: Field, value: Any) -> None:
    shown, above = show_form([field], Filling({"a": value}))
    assert above == []
    read = read_form([field], typed_of(shown))["a"]
    if isinstance(value, list) and isinstance(value and value[0], dict):
        read = [{key: each for key, each in row.items() if each is not None} for row in read]
    assert read == value


def test_mistakes_go_to_the_smallest_field_that_has_their_path() -> None:
    group = Field("g", "G", "group", fields=(Field("b", "B"), Field("r", "R", "rows", fields=(Field("c", "C"),))))
    faults = [("g.b", "1"), ("g.r.0.c", "2"), ("g.r.1", "3"), ("g.x", "4"), ("", "5"), ("h.i", "6"), ("g", "7")]
    (shown,), above = show_form([group], Filling({"g": {"r": [{"c": "x"}]}}, faults))
    assert above == ["5", "6"]
    assert shown.faults == ["x: 4", "7"]
    assert [part.faults for part in shown.parts] == [["1"], []]
    assert shown.parts[1].value[0][0][0].faults == ["2"]
    assert shown.parts[1].value[1][1] == ["3"]


def test_choices_are_told_in_words_of_a_language() -> None:
    bare = [
        field.name
        for field in nested(every_form())
        if field.words and (len(field.words) != len(field.choices) or not all(map(field.word, field.choices)))
    ]
    assert bare == []
    routing = next(field for field in queue_setting_fields() if field.name == "routing")
    assert routing.word("deltacast") == "Longest idle first"
    assert {"Longest idle first", "Who wants one"} <= set(words_of(list(every_form())))


def test_no_setting_is_told_as_the_program_writes_it() -> None:
    for kind in CARRIERS:
        form = carrier_form(State("acme", 1), None, kind)
        shown, _ = show_form(form.fields, Filling(form.document, (), form.inherited))
        assert not [each.name for each in flat(shown) if "(" in (each.inherited or "") and each.field.widget == "group"]
    generic = carrier_form(State("acme", 1), None, "generic")
    assert generic.inherited["callbacks.proof.kind"].value == "hmac", "the default of each, where it is typed"


def nested(fields: Iterable[Field]) -> Iterable[Field]:
    for field in fields:
        yield field
        yield from nested(field.fields)


def flat(shown: Iterable[Shown]) -> Iterable[Shown]:
    for each in shown:
        yield each
        yield from flat(each.parts)
