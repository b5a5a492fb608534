"""What somebody means by what he types into the search."""

import pytest

from smsdesk.domain.looked_for import LookedFor, found_line, meanings

US = frozenset({"US"})


@pytest.mark.parametrize(
    ("typed", "kinds"),
    [
        ("+1 (415) 555-0100", [("number", "+14155550100"), ("words", "+1 (415) 555-0100")]),
        ("415-555-0100", [("number", "+14155550100"), ("ticket", "415-555-0100"), ("words", "415-555-0100")]),
        ("4155550100", [("number", "+14155550100"), *[(kind, "4155550100") for kind in ("id", "ticket", "words")]]),
        ("#1204", [("id", "1204"), ("ticket", "#1204"), ("words", "#1204")]),
        ("chat: 1204", [("id", "1204"), ("words", "chat: 1204")]),
        ("ticket:5006x", [("ticket", "5006x"), ("ticket", "ticket:5006x"), ("words", "ticket:5006x")]),
        ("late  order", [("words", "late order")]),
        ("99999999999999999999", [("ticket", "99999999999999999999"), ("words", "99999999999999999999")]),
        ("!!!", [("ticket", "!!!")]),
        ("   ", []),
        ("\x00", []),
    ],
)  # fmt: skip
def test_the_ways_to_understand_it(typed: str, kinds: list[tuple[str, str]]) -> None:
    assert list(meanings(typed, US)) == [LookedFor(kind, value) for kind, value in kinds]  # type: ignore[arg-type]


def said(body: str, words: str) -> list[str]:
    return [f"[{piece.text}]" if piece.found else piece.text for piece in found_line(body, words)]


def test_what_was_found_is_marked_and_the_line_is_cut_around_it() -> None:
    assert said("My Order is late, my order!", 'order or "refund" -late') == [
        "My ",
        "[Order]",
        " is late, my ",
        "[order]",
        "!",
    ]
    long = "before " * 3000 + "needle " + "after " * 3000
    pieces = said(long, "needle")
    assert pieces[0] == "…"
    assert "[needle]" in pieces
    assert pieces[-1].endswith("…")
    assert sum(map(len, pieces)) < 180
    assert said("nothing here", "") == ["nothing here"]
    assert said("", "x") == []
