"""The supervisor's board: figures that agree with what happened, for supervisors of this tenant and nobody else."""

from datetime import timedelta

import pytest

from tests.desk.history import HOSTILE, History
from tests.kit.desk import DeskKit

READ = ["/desk/board", "/desk/board/now", "/desk/board/delivery", "/desk/board/charts", "/desk/board/agents/1"]


@pytest.mark.parametrize("path", READ)
async def test_only_supervisors_read_it(desk: DeskKit, path: str) -> None:
    assert (await (await desk.person("john")).get(path)).status == 403
    assert (await (await desk.person("supervisor")).get(path)).status == 200
    assert (await desk.nobody().get(path)).status == 303


async def test_a_role_that_is_taken_away_is_gone_at_once(desk: DeskKit) -> None:
    supervisor = await desk.person("supervisor")
    assert (await supervisor.get("/desk/board/now")).status == 200
    await desk.db.execute("update agents set role = 'agent' where tenant_id = 1 and agent_id = 10")
    assert (await supervisor.get("/desk/board/now")).status == 403


async def test_queues_say_what_waits_and_how_soon_they_were_served(desk: DeskKit) -> None:
    history = await History(desk).begin(target_seconds=60)
    await history.chat(queued=120, taken=90, ended=10)  # 30 s of waiting: in time
    await history.chat(queued=300, taken=100)  # 200 s: late, and in hand
    await history.chat(queued=240, ended=50)  # nobody took it
    await history.chat(queued=70)  # waits
    seen = await (await desk.person("supervisor")).get("/desk/board/now")
    row = seen.html.select_one(f"#queue-{history.queue_id}")
    assert row is not None
    cells = [cell.get_text(" ", strip=True) for cell in row.select("th, td")]
    assert cells[:2] == ["Support", "1"]
    assert cells[3:7] == ["1:00", "33.3%", "1", "2"], cells
    assert "taking the chat within its target" in seen.html.select("#in-time")[0].get_text(), "what is in time"
    wait = row.select_one("time[data-since]")
    assert wait is not None
    assert wait["data-target"] == "60"
    assert wait["data-since"] == "2026-03-02T17:19:41.123Z"


async def test_what_happened_yesterday_is_not_today(desk: DeskKit) -> None:
    history = await History(desk).begin(target_seconds=60)
    await history.chat(queued=120, taken=90, ended=10)
    desk.clock.forward(hours=24)
    row = (await (await desk.person("supervisor")).get("/desk/board/now")).html.select_one(f"#queue-{history.queue_id}")
    assert row is not None
    assert [cell.get_text(" ", strip=True) for cell in row.select("td")][3:6] == ["–", "0", "0"]


async def test_agents_stand_with_their_chats(desk: DeskKit) -> None:
    history = await History(desk).begin()
    chat_id = await history.chat(queued=100, taken=90, name=HOSTILE)
    await history.status(1, "available", "lunch soon <b>")
    await history.status(2, "unresponsive", None)
    seen = await (await desk.person("supervisor")).get("/desk/board/now")
    rows = seen.html.select("#board-now tr[id^=agent-]")
    assert [row["id"] for row in rows] == ["agent-2", "agent-1"], "who does not respond is seen first"
    assert "not responding" in rows[0].get_text()
    link = rows[1].select_one(f"a[href='/desk/chats/{chat_id}']")
    assert link is not None
    assert HOSTILE in link.get_text(), "as text, and no markup"
    assert not seen.html.select("script, b i")
    assert "lunch soon <b>" in rows[1].get_text()
    assert "theirs" not in seen.text.lower(), "nobody of another tenant"


async def test_a_supervisor_sets_a_status_and_the_audit_has_it(desk: DeskKit) -> None:
    supervisor = await desk.person("supervisor")
    answer = await supervisor.post("/desk/board/agents/1/status", {"status": "break", "reason": "rest"})
    assert (answer.status, answer.headers["location"]) == (303, "/desk/board/agents/1")
    row = await desk.db.fetchrow("select status, reason from agent_statuses where tenant_id = 1 and agent_id = 1")
    assert tuple(row) == ("break", "rest")
    deed = await desk.db.fetchrow("select agent_id, action, subject from audit where tenant_id = 1")
    assert tuple(deed) == (10, "change agent status", "agent 1")
    assert "on a break" in (await supervisor.get("/desk/board/agents/1")).text
    wrong = await supervisor.post("/desk/board/agents/1/status", {"status": "missed_chat"})
    assert wrong.status == 422


async def test_nobody_else_sets_it(desk: DeskKit) -> None:
    john, supervisor = await desk.person("john"), await desk.person("supervisor")
    assert (await john.post("/desk/board/agents/2/status", {"status": "break"})).status == 403
    theirs = [await supervisor.get("/desk/board/agents/4"), await supervisor.get("/desk/board/agents/9999")]
    assert [seen.status for seen in theirs] == [404, 404]
    assert theirs[0].text == theirs[1].text, "another tenant's id is as one that never was"
    assert (await supervisor.post("/desk/board/agents/4/status", {"status": "break"})).status == 422
    assert await desk.db.fetchval("select count(*) from agent_statuses") == 0


async def test_delivery_by_line_and_number(desk: DeskKit) -> None:
    history = await History(desk).begin()
    chat_id = await history.chat(queued=100, taken=90)
    for state, reason in (("delivered", None), ("delivered", None), ("undelivered", "unreachable"), ("sent", None)):
        await history.text(chat_id, state, reason, ago=60, took=4)
    await history.flying(chat_id, "doubtful", ago=60)
    await history.flying(chat_id, "queued", ago=60)
    await history.text(chat_id, "delivered", None, ago=7200, took=4)
    supervisor = await desk.person("supervisor")
    rows = (await supervisor.get("/desk/board/delivery")).html.select("tbody tr")
    line = [cell.get_text(" ", strip=True) for cell in rows[0].select("th, td")]
    assert (line[0], line[3:5]) == ("lab", ["6", "33.3%"]), line
    assert "1 doubtful" in line[1], line
    assert line[2].startswith("1 oldest"), line
    assert line[6:] == ["1", "Phone off or out of reach: 1", "4 s"], line
    number = [cell.get_text(" ", strip=True) for cell in rows[-1].select("th, td")]
    assert number[3:5] == ["6", "33.3%"]
    assert "+1 628-555-0199" in number[0]
    whole = (await supervisor.get("/desk/board/delivery?since=day")).html.select("tbody tr")
    assert whole[0].select("td")[2].get_text() == "7"
    await desk.db.execute(
        "insert into sick_lines (tenant_id, carrier_id, node_id, since, why) values (1, $1, 1, now(), $2)",
        history.carrier_id, HOSTILE,
    )  # fmt: skip
    desk.clock.forward(seconds=2)
    assert "not trusted" in (await supervisor.get("/desk/board/delivery")).html.select("tbody tr")[0].get_text()


async def test_what_is_to_be_seen_to(desk: DeskKit) -> None:
    history = await History(desk).begin()
    chat_id = await history.chat(queued=100)
    await history.hold(chat_id)
    await desk.db.execute(
        """insert into crm_jobs (tenant_id, job_id, chat_id, kind, state, due_at, created_at)
           values (1, 1, $1, 'link', 'failed', now(), now())""", chat_id,
    )  # fmt: skip
    await history.opt_out()
    seen = await (await desk.person("supervisor")).get("/desk/board/now")
    said = [item.get_text(" ", strip=True) for item in seen.html.select(".cares li")]
    assert said == ["0 doubtful texts", "1 consent to decide", "1 failed job of the CRM", "0 lost files today",
                    "1 opt-out today"]  # fmt: skip
    for about in ("hold", "crm"):
        found = await (await desk.person("supervisor")).get(f"/desk/search?about={about}")
        assert found.html.select_one(f"#found-{chat_id}") is not None


async def test_many_who_look_at_once_are_one_question(desk: DeskKit) -> None:
    history = await History(desk).begin()
    one, other = await desk.person("supervisor"), await desk.person("administrator")
    before = (await one.get("/desk/board/now")).html.select_one(".number .badge")
    await history.chat(queued=10)
    assert before is None
    assert "badge warn" not in (await other.get("/desk/board/now")).text, "a second has not passed"
    desk.clock.forward(seconds=1)
    assert (await other.get("/desk/board/now")).html.select_one(".number .badge") is not None


async def test_the_day_as_charts(desk: DeskKit) -> None:
    history = await History(desk).begin()
    chat_id = await history.chat(queued=3600, taken=600)
    await history.text(chat_id, "delivered", None, ago=60, took=1)
    await history.text(chat_id, "failed", "unreachable", ago=60, took=1)
    seen = await (await desk.person("supervisor")).get("/desk/board/charts")
    rows = {row.th.get_text(): [cell.get_text() for cell in row.select("td")]
            for row in seen.html.select("#table-texts tbody tr") if row.th}  # fmt: skip
    # The clock stands at 17:20:51 UTC, of which 17:15 is the quarter.
    assert rows["5:15\u202fPM"] == ["1", "0", "1"], rows
    waits = {row.th.get_text(): row.td.get_text()
             for row in seen.html.select("#table-waiting tbody tr") if row.th and row.td}  # fmt: skip
    assert (waits["4:15\u202fPM"], waits["4:30\u202fPM"], waits["5:00\u202fPM"], waits["5:15\u202fPM"]) == (
        "0",
        "1",
        "1",
        "0",
    )
    svg = seen.html.select_one("svg")
    assert svg is not None
    assert svg.title is not None
    assert svg.find("desc") is not None
    assert "style=" not in seen.text


async def test_years_of_other_days_change_nothing(desk: DeskKit) -> None:
    history = await History(desk).begin(target_seconds=60)
    await history.chat(queued=100, taken=90, ended=10)
    desk.clock.now += timedelta(days=400)
    seen = await (await desk.person("supervisor")).get("/desk/board")
    assert seen.status == 200
    assert len(seen.text) < 100_000
