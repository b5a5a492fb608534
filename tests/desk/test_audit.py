"""The audit's page: who, what, when; filtered, paged, as a file."""

import csv
import io
from datetime import timedelta
from typing import Any

from smsdesk.desk.pages.audit import SHOWN, details
from smsdesk.domain.audit import Author, Deed
from smsdesk.store.audit import add_deed
from tests.kit.desk import DeskKit

PATH = "/desk/admin/audit"


async def done(desk: DeskKit, number: int, action: str, subject: str = "", tenant_id: int = 1, **said: Any) -> None:
    """A deed of the administrator, `number` seconds after the clock."""
    at = desk.clock.now + timedelta(seconds=number)
    async with desk.services.db.transaction() as conn:
        author = Author("desk", 11 if tenant_id == 1 else 12)
        await add_deed(conn, tenant_id, 900_000 + number, Deed(author, action, subject, said), at)


async def test_changes_read_as_old_to_new_and_hostile_words_as_words(desk: DeskKit) -> None:
    changes = [{"field": "name", "old": "a", "new": "<b>c</b>"}]
    await done(desk, 1, "change setup", "<img src=x>", changes=changes, limit={"old": 1, "new": None})
    seen = await (await desk.person("administrator")).get(PATH)
    assert "name: a → <b>c</b>" in seen.html.get_text()
    assert "limit: 1 → –" in seen.html.get_text()
    assert "<img src=x>" not in seen.text
    assert seen.html.find("b", string="c") is None
    assert details({"from": "+1"}) == ["from: +1"]
    planned = {"action": "change", "kind": "agent", "name": "j", "fields": {"role": {"old": "agent", "new": None}}}
    assert details({"changes": [planned]}) == ["change agent j, role: agent → –"]


async def test_filters_by_person_action_subject_and_day(desk: DeskKit) -> None:
    await done(desk, 1, "create token", "billing")
    await done(desk, 2, "block number", "+14155550100")
    await done(desk, 86_400 * 3, "create token", "later")
    administrator = await desk.person("administrator")

    async def subjects(query: str) -> list[str]:
        seen = await administrator.get(f"{PATH}?{query}")
        assert seen.status == 200, seen.text
        return [row.find_all("td")[3].get_text(strip=True) for row in seen.html.select("tbody tr")]

    assert await subjects("action=create") == ["later", "billing"]
    assert await subjects("subject=0100") == ["+14155550100"]
    assert await subjects("person=11&until=2026-03-02") == ["+14155550100", "billing"]
    assert await subjects("since=2026-03-04") == ["later"]
    assert await subjects("person=command") == []
    assert await subjects("person=%00&since=x&before=99999999999999999-999999999999999999") != ["x"]


async def test_pages_have_each_deed_once(desk: DeskKit) -> None:
    for number in range(SHOWN + 5):
        await done(desk, number, "create token", f"token {number}")
    administrator = await desk.person("administrator")
    first = await administrator.get(PATH)
    link = first.html.find("a", string="Earlier")
    assert link is not None
    second = await administrator.get(str(link["href"]))
    found = [
        row.find_all("td")[3].get_text(strip=True) for page in (first, second) for row in page.html.select("tbody tr")
    ]
    assert found == [f"token {number}" for number in reversed(range(SHOWN + 5))]


async def test_the_file_has_no_formulas(desk: DeskKit) -> None:
    await done(desk, 1, "create token", "=HYPERLINK(1)")
    answer = await (await desk.person("administrator")).get(f"{PATH}.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows[1][1:5] == ["desk", "Desk Administrator", "create token", "'=HYPERLINK(1)"]


async def test_nobody_else_reads_it(desk: DeskKit) -> None:
    await done(desk, 1, "create token", "ours")
    for who in ("john", "supervisor"):
        assert (await (await desk.person(who)).get(PATH)).status == 403
        assert (await (await desk.person(who)).get(f"{PATH}.csv")).status == 403
    assert "ours" not in (await (await desk.person("their_administrator")).get(f"{PATH}.csv")).text
