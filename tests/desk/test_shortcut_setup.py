"""Shortcuts as a set-up file has them: planned, applied, changed, taken away; every mistake with its place."""

import pytest

from smsdesk.domain.setup import State
from smsdesk.domain.shortcut import VARIABLES, Shortcut, fill
from smsdesk.setup.faults import SetupError
from smsdesk.setup.plan import render
from smsdesk.store.db import Database
from smsdesk.store.shortcuts import list_shortcuts
from tests.setup.kit import applied, judged, planned

FILE = """tenant: acme
shortcuts:
  - {name: Hours, category: Common, text: "We are open 9 to 5, @{CUSTOMER_FIRST_NAME}."}
  - {name: bye, text: "Goodbye!\\nYours, @{AGENT_FULL_NAME}"}
"""


@pytest.fixture
async def db(database: str) -> Database:
    return Database(database, size=2)


async def shortcuts(db: Database) -> list[Shortcut]:
    async with db.connection() as conn:
        return await list_shortcuts(conn, 1)


async def test_a_file_makes_changes_and_takes_away_shortcuts(db: Database) -> None:
    await db.open()
    try:
        (plan,) = await applied(db, FILE)
        assert "  + shortcut hours" in render(plan)
        assert await shortcuts(db) == [
            Shortcut("bye", "", "Goodbye!\nYours, @{AGENT_FULL_NAME}"),
            Shortcut("hours", "Common", "We are open 9 to 5, @{CUSTOMER_FIRST_NAME}."),
        ]
        assert [plan.is_empty for plan in await planned(db, FILE)] == [True]
        # A file changes only what it names, and knows a name in whatever case.
        (plan,) = await applied(db, "tenant: acme\nshortcuts: [{name: HOURS, category: Late}]")
        assert render(plan)[1:3] == ["  ~ shortcut hours", '      category: "Common" -> "Late"']
        (plan,) = await applied(db, "tenant: acme\nshortcuts: [{name: bye, deleted: true}]")
        assert render(plan)[1] == "  - shortcut bye"
        assert await shortcuts(db) == [Shortcut("hours", "Late", "We are open 9 to 5, @{CUSTOMER_FIRST_NAME}.")]
        await applied(db, "tenant: other\nshortcuts: [{name: hours, text: Theirs}]")
        assert len(await shortcuts(db)) == 1
    finally:
        await db.close()


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("{name: a b, text: x}", '13: shortcuts[0].name: "a b" cannot be typed after `/`: write one word without `/` '
                                 "and `#`, such as opening-hours"),
        ('{name: "#a", text: x}', '13: shortcuts[0].name: "#a" cannot be typed after `/`: write one word without `/` '
                                  "and `#`, such as opening-hours"),
        ("{name: a}", '6: shortcuts[0]: has no `text`: write what "a" stands for'),
        ("{text: a}", "6: shortcuts[0]: has no `name`: every shortcut needs one"),
        ('{name: a, text: ""}', "22: shortcuts[0].text: is empty: write something, or take the shortcut away with "
                                "deleted: true"),
        ('{name: a, text: "@{AGENT_FIRSTNAME}"}',
         "22: shortcuts[0].text: there is no variable @{AGENT_FIRSTNAME}. Did you mean \"AGENT_FIRST_NAME\"?"),
        ("{name: a, deleted: true, text: x}", "6: shortcuts[0]: is deleted, so its other keys have no meaning: remove "
                                              "them"),
        ("{name: a, text: x, body: y}", "25: shortcuts[0].body: there is no key \"body\" here."),
    ],
)  # fmt: skip
def test_a_mistake_is_said_with_its_place(entry: str, says: str) -> None:
    faults = judged(f"tenant: acme\nshortcuts:\n  - {entry}\n".replace("  - ", "  -  "), State("acme")).faults
    (line,) = SetupError("f", faults).lines()
    assert line.startswith(f"f:3:{says}"), line


def test_two_of_one_name_are_a_mistake() -> None:
    file = "tenant: acme\nshortcuts:\n  - {name: a, text: x}\n  - {name: A, text: y}\n"
    (fault,) = judged(file, State("acme")).faults
    assert fault.says == 'shortcut "a" stands in line 3 already: keep one of them'


def test_variables_are_filled() -> None:
    assert fill("Hi @{CUSTOMER_FIRST_NAME}, @{AGENT_NUMBER}!", {"AGENT_NUMBER": "9"}) == "Hi Customer, 9!"
    assert fill("@{CUSTOMER_FULL_NAME}", {"CUSTOMER_FULL_NAME": "@{TICKET_ID}"}) == "@{TICKET_ID}"
    assert fill("@{TICKET_ID}@{OTHER}", {"TICKET_ID": ""}) == "@{OTHER}"
    assert all(fill(f"@{{{name}}}", dict.fromkeys(VARIABLES, "x")) == "x" for name in VARIABLES)
