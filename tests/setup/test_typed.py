"""Settings that go deep: text as it is written everywhere, and a mistake said where it stands."""

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta, Struct

from smsdesk.domain.setup import State
from smsdesk.setup.document import read_documents
from smsdesk.setup.items import Around, read_items
from smsdesk.setup.secrets import unresolvable
from smsdesk.setup.wanted import Wanted


class Proof(Struct, forbid_unknown_fields=True):
    """How a callback is proven."""

    header: str
    seconds: Annotated[int, Meta(ge=1)] = 300


class Deep(Struct, forbid_unknown_fields=True):
    """A line with tables, lists and structures."""

    fields: dict[str, str] = {}
    status_reasons: dict[str, Literal["blocked", "opted_out"]] = {}
    senders: tuple[str, ...] = ()
    codes: list[Annotated[int, Meta(ge=0, le=255)]] = []
    proof: Proof | None = None
    extra: dict[str, Any] = {}
    ca_file: str = ""


def read(settings: str) -> Wanted:
    """A carrier `deep` of these settings."""
    text = f"tenant: acme\ncarriers:\n  - name: deep\n    type: deep\n{settings}"
    (document,) = read_documents(text.encode(), "setup.yaml")
    return read_items(document, Around(State("acme"), {"deep": Deep}, Path("/etc/desk")))


def test_all_depths_are_read_as_their_types_want_them() -> None:
    wanted = read(
        "    fields: {to: '{destination}', 7: 007, on: 1.50}\n    status_reasons: {0x45: blocked, 1025: opted_out}\n"
        "    senders: [0042, acme]\n    codes: [8, 0]\n    proof: {header: x-proof, seconds: 60}\n"
        "    extra: {a: [1, {b: null}], c: true}\n    ca_file: ca.pem\n"
    )
    assert wanted.faults == ()
    assert wanted.items[0].fields == {
        "type": "deep",
        "fields": {"to": "{destination}", "7": "007", "on": "1.50"},
        "status_reasons": {"0x45": "blocked", "1025": "opted_out"},
        "senders": ["0042", "acme"],
        "codes": [8, 0],
        "proof": {"header": "x-proof", "seconds": 60},
        "extra": {"a": [1, {"b": None}], "c": True},
        "ca_file": "/etc/desk/ca.pem",
    }


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ("fields: {to: true}", '5:18: carriers[0].fields.to: must be text, not `true`: put it in quotes, "..."'),
        (
            "status_reasons: {'0x45': bloked}",
            "5:30: carriers[0].status_reasons.0x45: must be one of blocked, opted_out, "
            'not "bloked". Did you mean "blocked"?',
        ),
        ("senders: [a, [b]]", "5:14: carriers[0].senders: expected `str`, got `array` at `[1]`"),
        ("codes: [8, 256]", "5:12: carriers[0].codes: expected `int` <= 255 at `[1]`"),
        (
            "proof: {heder: x}",
            '5:13: carriers[0].proof.heder: there is no key "heder" here. Did you mean "header"?',
        ),
        ("proof: {seconds: 0, header: x}", "5:12: carriers[0].proof: expected `int` >= 1 at `seconds`"),
        ("proof: {seconds: 1}", "5:12: carriers[0].proof: object missing required field `header`"),
        ("fields: [a]", "5:13: carriers[0].fields: expected `object`, got `array`"),
        ("senders: a", "5:14: carriers[0].senders: expected `array`, got `str`, not `a`"),
        ("extra: &a {b: *a}", "is nested too deep"),
    ],
)
def test_a_mistake_inside_is_said_where_it_stands(settings: str, says: str) -> None:
    (fault,) = read(f"    {settings}\n").faults
    assert fault.line("setup.yaml").removeprefix("setup.yaml:") == says or says in fault.says


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    there = tmp_path / "ca.pem"
    there.write_text("")
    assert unresolvable({"ca_file": str(there), "other_file": ""}, {}) == []
    (missing,) = unresolvable({"ca_file": f"{there}.old"}, {})
    assert missing == f"ca_file: {there}.old cannot be read: put it there, readable for smsdesk"
