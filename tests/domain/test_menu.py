"""What an answer to a menu means, and where it leads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsdesk.domain.menu import (
    MOST_TRIES,
    Enter,
    Entry,
    Leave,
    MenuWords,
    Place,
    Show,
    Tree,
    menu_of,
    next_place,
    normal,
    read_choice,
)

LINES = ["Billing", "Orders & Returns", "Facturación", "24 Hour Help"]

# 1 Support
#    2 Billing, keyword BILL
#       4 Cards, 5 Invoices
#    3 Orders
#    6 Vip, hidden, keyword VIP
# 9 Sales, keyword SALES, at the top
TREE = Tree([
    Entry(1, None, "Support"),
    Entry(2, 1, "Billing", "BILL"),
    Entry(3, 1, "Orders"),
    Entry(4, 2, "Cards"),
    Entry(5, 2, "Invoices"),
    Entry(6, 1, "Vip", "VIP", hidden=True),
    Entry(7, 2, "Gone", "GONE", deleted=True),
    Entry(8, 7, "Gone as well", deleted=True),
    Entry(9, None, "Sales", "Sales-Line"),
])  # fmt: skip


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("1", 0),
        ("1.", 0),
        (" 1) ", 0),
        ("#2", 1),
        ("(2)", 1),
        ("1\N{VARIATION SELECTOR-16}\N{COMBINING ENCLOSING KEYCAP}", 0),
        ("２", 1),
        ("②", 1),
        ("٢", 1),
        ("01", 0),
        ("one", 0),
        ("Uno", 0),
        ("TRES!", 2),
        ("2 👍", 1),
        ("option 2", 1),
        ("Opción 2, por favor", 1),
        ("2 please", 1),
        ("billing", 0),
        ("orders returns", 1),
        ("facturacion", 2),
        ("24 hour help", 3),
        ("1 Billing", 0),
        ("1. billing", 0),
        ("four 24 Hour Help", 3),
        ("\N{ZERO WIDTH SPACE}3", 2),
    ],
)
def test_a_choice(body: str, line: int) -> None:
    assert read_choice(body, LINES) == line


@pytest.mark.parametrize(
    "body",
    [
        "", "   ", "\N{ZERO WIDTH SPACE}", "👍", "😀😀", "?", "0", "5", "12", "\N{KEYCAP TEN}", "1 2", "1 1", "1.2",
        "2 Billing", "BACK 1", "yes I'm coming", "I have 2", "number", "9" * 5000, "not 1", "1 or 2", "²½",
        "1 Billing please",
    ],
)  # fmt: skip
def test_no_choice(body: str) -> None:
    assert read_choice(body, LINES) is None


def test_the_emoji_of_ten_is_ten() -> None:
    assert read_choice("\N{KEYCAP TEN}", [f"Queue {name}" for name in "abcdefghij"]) == 9


def test_a_number_is_a_line_even_where_another_is_called_so() -> None:
    assert read_choice("2", ["2", "Sales"]) == 1


def test_a_queue_that_is_called_by_an_emoji_can_be_named() -> None:
    assert read_choice("💳", ["📦", "💳"]) == 1
    assert read_choice("", ["📦", "💳"]) is None


@pytest.mark.parametrize(
    ("place", "body", "where"),
    [
        # The first text begins the conversation: nothing was shown that it could answer.
        (Place(1), "1", Show(1)),
        (Place(1), "yes I'm coming", Show(1)),
        (Place(1), "back", Show(1)),
        (Place(1), "", Show(1)),
        (Place(3), "hello", Enter(3)),
        # Down, up, out.
        (Place(1, 1), "1", Show(2)),
        (Place(1, 1), "2", Enter(3)),
        (Place(1, 2), "2", Enter(5)),
        (Place(1, 2), "Back!", Show(1)),
        (Place(1, 1), "back", Show(1)),
        (Place(2, 2), "back", Show(2)),
        (Place(1, 2), "exit", Leave()),
        (Place(1), "EXIT", Leave()),
        (Place(1, 1, words=MenuWords("ATRAS", "SALIR")), "Atrás", Show(1)),
        (Place(1, 1, words=MenuWords("ATRAS", "SALIR")), "salir", Leave()),
        (Place(1, 1, words=MenuWords("ATRAS", "SALIR")), "exit", Show(1, 1)),
        # Keywords jump, from the first text on, into hidden queues and out of the number's own tree.
        (Place(1), "bill", Show(2)),
        (Place(1, 2), "VIP", Enter(6)),
        (Place(1), "sales line", Enter(9)),
        (Place(1), "gone", Show(1)),
        (Place(1), "bill please", Show(1)),
        # A hidden queue is in no menu.
        (Place(1, 1), "3", Show(1, 1)),
        (Place(1, 1), "vip queue", Show(1, 1)),
        # Not understood: again, and again, and then a person.
        (Place(1, 1, 1), "hm", Show(1, 2)),
        (Place(1, 2, MOST_TRIES - 1), "1 2", Show(2, MOST_TRIES)),
        (Place(1, 2, MOST_TRIES), "hm", Enter(4)),
        (Place(1, 1, MOST_TRIES), "hm", Enter(4)),
        (Place(1, 1, MOST_TRIES, default_id=3), "hm", Enter(3)),
        (Place(1, 2, MOST_TRIES, default_id=2), "hm", Enter(4)),
        (Place(1, 1, MOST_TRIES, default_id=9), "hm", Enter(4)),
        (Place(1, 1, MOST_TRIES, default_id=77), "hm", Enter(4)),
        (Place(1, 1, MOST_TRIES, default_id=7), "hm", Enter(4)),
        # A menu that is gone leads to the one above it, and what was answered to it counts for nothing.
        (Place(1, 8, 2), "1", Show(2)),
        (Place(1, 77), "1", Show(1)),
        (Place(1, 3), "1", Enter(3)),
        # From outside the number's tree the way back leads into it.
        (Place(2, 1), "back", Show(2)),
    ],
)  # fmt: skip
def test_where_a_text_leads(place: Place, body: str, where: object) -> None:
    assert next_place(TREE, place, body) == where


def test_a_menu_has_a_line_for_each_queue_that_is_not_hidden() -> None:
    assert menu_of(TREE.lines(1)) == "1 Billing\n2 Orders"


@given(st.lists(st.text(max_size=200), max_size=12))
def test_whoever_writes_whatever_is_in_a_queue_or_gone_after_a_few_menus(bodies: list[str]) -> None:
    """Without the words and choices that lead elsewhere no more than the first menu and MOST_TRIES others are shown."""
    place, shown = Place(1), 0
    for body in bodies:
        if normal(body) in ("back", "exit", "1", "billing") or TREE.find_keyword(body):
            continue
        where = next_place(TREE, place, body)
        if not isinstance(where, Show):
            assert isinstance(where, Enter)
            return
        shown += 1
        place = Place(1, where.queue_id, where.tries)
    assert shown <= 1 + MOST_TRIES


@given(st.text())
def test_any_text_has_words(body: str) -> None:
    assert normal(normal(body)) == normal(body)
