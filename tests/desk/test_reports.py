"""The reports: a history that was counted by hand, every grouping of it, and the file."""

import csv
import io
from decimal import Decimal
from typing import Any

import pytest

from tests.desk.history import History
from tests.kit.api import OURS
from tests.kit.desk import DeskKit, Seen

HOUR, DAY = 3600, 86400
FORMULA = '=HYPERLINK("x")'


async def make_history(desk: DeskKit) -> History:
    """Today: one that an agent answered, one that was left, one of ours that nobody answered, one that waits.
    Yesterday: one with a transfer that agent 2 ended, set aside once. 40 days ago: one that does not count."""
    history = await History(desk).begin()
    one = await history.chat(queued=1000, taken=940, ended=400, rating=4, by="disconnected_by_agent")
    await history.says(one, "end_user", "hello", 1000)
    await history.text(one, "delivered", None, 900, 2, price=Decimal("0.01"), currency="USD", parts=2)
    await history.says(one, "end_user", "more", 800)
    await history.text(one, "undelivered", "unreachable", 700, 2, price=Decimal("0.01"), currency="USD")
    await history.chat(queued=900, ended=500, by="disconnected_by_end_user")
    ours = await history.chat(begun=800, ended=100, direction="outbound", status="failed", fail_reason="no_response",
                              chat_type=None)  # fmt: skip
    await history.text(ours, "delivered", None, 800, 2, sender="api", price=Decimal("0.02"), currency="EUR")
    open_one = await history.chat(queued=300)
    await history.flying(open_one, "doubtful", 200)
    past = await history.chat(
        queued=DAY, taken=DAY - 120, ended=DAY - 600, agent=2, by="disconnected_by_system", rating=1
    )
    # An agent's text began it: what counts is his first one after the consumer's words.
    await history.text(past, "delivered", None, DAY + 60, 2)
    await history.says(past, "end_user", "hello", DAY - 150)
    await history.text(past, "delivered", None, DAY - 190, 2)
    await history.span(past, "dismissed", DAY - 200, DAY - 300)
    for chat_id, disposition in ((one, FORMULA), (past, "Refund")):
        await desk.db.execute(
            "insert into wrap_ups (tenant_id, chat_id, agent_id, started_at, ended_at, disposition)"
            " values (1, $1, 1, now(), now(), $2)", chat_id, disposition,
        )  # fmt: skip
    await desk.db.execute(
        "insert into transfers (tenant_id, chat_id, transfer_id, kind, status, created_at, from_agent_id, to_agent_id)"
        " values (1, $1, 1, 'cold', 'connected', now(), 1, 2)", past,
    )  # fmt: skip
    await history.opt_out()
    await history.opt_out(ago=40 * DAY)
    await history.chat(queued=40 * DAY, taken=40 * DAY - 60, ended=39 * DAY)
    return history


def table(seen: Seen) -> dict[str, dict[str, str]]:
    assert seen.status == 200, seen.text
    rows = seen.html.select("table.report")[0].select("tr")
    heads = [cell.get_text(strip=True) for cell in rows[0].select("th")]
    found = [[cell.get_text(" ", strip=True) for cell in row.select("th, td")] for row in rows[1:]]
    return {cells[0]: dict(zip(heads[1:], cells[1:], strict=True)) for cells in found}


async def report(desk: DeskKit, asked: str) -> dict[str, dict[str, str]]:
    return table(await (await desk.person("supervisor")).get(f"/desk/reports?{asked}"))


async def test_chats_by_day(desk: DeskKit) -> None:
    await make_history(desk)
    found = await report(desk, "")
    assert found["Mar 2, 2026"] == {
        "Chats": "4", "Incoming": "3", "Outgoing": "1", "Had an agent": "1", "Still open": "1", "Transfers": "0",
        "Were set aside": "0", "Rating": "4", "Rated": "1", "Opt-outs": "1",
    }  # fmt: skip
    assert found["Mar 1, 2026"] == {
        "Chats": "1", "Incoming": "1", "Outgoing": "0", "Had an agent": "1", "Still open": "0", "Transfers": "1",
        "Were set aside": "1", "Rating": "1", "Rated": "1", "Opt-outs": "0",
    }  # fmt: skip
    assert list(found) == ["All", "Mar 1, 2026", "Mar 2, 2026"]
    assert found["All"]["Chats"] == "5"
    assert found["All"]["Rating"] == "2.5"


async def test_times_and_endings(desk: DeskKit) -> None:
    await make_history(desk)
    times = await report(desk, "view=times")
    assert times["Mar 2, 2026"] == {
        "Had an agent": "1", "Wait, median": "1:00", "Wait, 90 %": "1:00", "First answer, median": "1:40",
        "First answer, 90 %": "1:40", "Length, median": "9:00",
    }  # fmt: skip
    assert times["Mar 1, 2026"]["First answer, median"] == "0:40", "from his first words, not from the agent's"
    assert times["All"]["Wait, median"] == "1:30"
    assert times["All"]["Wait, 90 %"] == "1:54"
    endings = await report(desk, "view=endings")
    assert list(endings["All"].values()) == ["4", "1", "1", "1", "1", "1"]


async def test_texts_and_cost(desk: DeskKit) -> None:
    await make_history(desk)
    found = await report(desk, "view=texts")
    assert found["Mar 2, 2026"] == {
        "Texts": "4", "Delivered": "2", "Share": "50%", "Failed": "1", "Doubtful": "1", "Parts": "5",
        "Cost": "0.02 EUR, 0.02 USD",
    }  # fmt: skip
    assert found["All"]["Texts"] == "6"


@pytest.mark.parametrize(
    ("by", "chats"),
    [
        ("queue", {"All": "5", "Support": "4", "Without a queue": "1"}),
        ("agent", {"All": "5", "Without an agent": "3", "John Doe": "1", "Second Agent": "1"}),
        ("number", {"All": "5", "+1 628-555-0199": "5"}),
        ("type", {"All": "5", "Messaging (SMS)": "5"}),
    ],
)
async def test_other_groups(desk: DeskKit, by: str, chats: dict[str, str]) -> None:
    await make_history(desk)
    assert {name: row["Chats"] for name, row in (await report(desk, f"by={by}")).items()} == chats


async def test_a_figure_leads_to_its_chats(desk: DeskKit) -> None:
    await make_history(desk)
    supervisor = await desk.person("supervisor")
    for by in ("day", "queue", "agent", "number"):
        seen = await supervisor.get(f"/desk/reports?by={by}")
        for link in seen.html.select("table.report tbody td.number a[href^='/desk/search']"):
            if "about=rated" in str(link["href"]) and link.get_text() not in ("1", "2"):
                continue  # the rating itself
            found = await supervisor.get(str(link["href"]))
            assert len(found.html.select("tr[id^=found-]")) == int(link.get_text()), link["href"]


async def test_what_the_chats_were_about(desk: DeskKit) -> None:
    await make_history(desk)
    seen = await (await desk.person("supervisor")).get("/desk/reports")
    rows = {
        row.th.get_text(): row.td.a
        for row in seen.html.select("table.report")[1].select("tbody tr")
        if row.th and row.td
    }
    assert {name: link.get_text() for name, link in rows.items() if link} == {FORMULA: "1", "Refund": "1"}
    link: Any = rows[FORMULA]
    assert len((await (await desk.person("supervisor")).get(link["href"])).html.select("tr[id^=found-]")) == 1


async def test_columns_sort(desk: DeskKit) -> None:
    await make_history(desk)
    assert list(await report(desk, "sort=opened")) == ["All", "Mar 2, 2026", "Mar 1, 2026"]
    assert list(await report(desk, "sort=opened&up=1")) == ["All", "Mar 1, 2026", "Mar 2, 2026"]
    assert list(await report(desk, "sort=transfers")) == ["All", "Mar 1, 2026", "Mar 2, 2026"]


async def test_the_file_has_all_and_no_formula(desk: DeskKit) -> None:
    await make_history(desk)
    await desk.db.execute("update agents set first_name = $1, last_name = '' where agent_id = 2", FORMULA)
    seen = await (await desk.person("supervisor")).get("/desk/reports.csv?by=agent")
    assert seen.headers["content-type"] == "text/csv; charset=utf-8"
    assert seen.headers["content-disposition"] == 'attachment; filename="smsdesk-agent-2026-02-24-2026-03-02.csv"'
    assert seen.text.startswith("\ufeffAgent,")
    rows = list(csv.DictReader(io.StringIO(seen.text.removeprefix("\ufeff"))))
    by_name = {row["Agent"]: row for row in rows}
    assert set(by_name) == {"John Doe", f"'{FORMULA}", "Without an agent"}
    john = by_name["John Doe"]
    assert (john["Chats"], john["Wait, median (s)"], john["Texts"], john["USD"], john["EUR"]) == (
        "1",
        "60.0",
        "2",
        "0.02",
        "0.0",
    )
    number = (await (await desk.person("supervisor")).get("/desk/reports.csv?by=number")).text
    assert f"\r\n'{OURS}," in number


async def test_days_run_in_the_readers_zone(desk: DeskKit) -> None:
    history = await History(desk).begin()
    await history.chat(queued=14 * HOUR)  # 03:20 UTC
    supervisor = await desk.person("supervisor")
    supervisor.cookie += "; smsdesk_zone=America/New_York"
    assert list(table(await supervisor.get("/desk/reports"))) == ["All", "Mar 1, 2026"]


async def test_a_strange_address_is_a_report_all_the_same(desk: DeskKit) -> None:
    await make_history(desk)
    found = await report(desk, "first=x&last=9999-12-31&by=moon&view=none&sort=%00&up=7")
    assert "All" in found
    turned = await report(desk, "first=2026-03-02&last=2026-03-01")
    assert turned["All"]["Chats"] == "5"


async def test_empty_time(desk: DeskKit) -> None:
    seen = await (await desk.person("supervisor")).get("/desk/reports")
    assert seen.status == 200
    assert "Nothing happened in this time" in seen.text


async def test_only_supervisors_of_the_tenant(desk: DeskKit) -> None:
    await make_history(desk)
    john, theirs = await desk.person("john"), await desk.person("theirs")
    await desk.db.execute("update agents set role = 'supervisor' where agent_id = 4")
    for path in ("/desk/reports", "/desk/reports.csv"):
        assert (await john.get(path)).status == 403
        seen = await theirs.get(f"{path}?by=agent")
        assert seen.status == 200
        assert "John" not in seen.text.replace("John Doe</summary>", "")
