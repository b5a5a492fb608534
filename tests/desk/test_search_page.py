"""The supervisor's search: one box for numbers, ids, tickets and words, filters, and chats given on in numbers."""

import re

import pytest

from tests.desk.history import HOSTILE, History
from tests.kit.api import OURS
from tests.kit.desk import DeskKit, Person, Seen


def found(seen: Seen) -> list[int]:
    assert seen.status == 200, seen.text
    return [int(row["id"].removeprefix("found-")) for row in seen.html.select("tr[id^=found-]")]


async def look(desk: DeskKit, asked: str) -> list[int]:
    return found(await (await desk.person("supervisor")).get(f"/desk/search?{asked}"))


async def test_only_supervisors_search(desk: DeskKit) -> None:
    john = await desk.person("john")
    assert (await john.get("/desk/search?q=x")).status == 403
    assert (await john.post("/desk/search/assign", {"chat_id": "1", "to": "agent:2"})).status == 403


async def test_one_box(desk: DeskKit) -> None:
    history = await History(desk).begin()
    one = await history.chat(queued=90, phone="+14155550177", ticket="5006x")
    other = await history.chat(queued=80, taken=70, ended=10)
    text = await history.text(other, "delivered", None, 60, 1, body="The parcel number 881234 is late")
    assert await look(desk, "q=") == [other, one], "the newest first"
    assert await look(desk, "q=(415)+555-0177") == [one]
    assert await look(desk, "q=16285550199") == [other, one], "a number of ours"
    assert await look(desk, f"q={one}") == [one]
    assert await look(desk, f"q=%23{text}") == [other], "the id of a text"
    assert await look(desk, "q=5006x") == [one]
    assert await look(desk, "q=ticket:5006x") == [one]
    assert await look(desk, "q=881234") == [other], "digits that are no id are words"
    assert await look(desk, "q=parcel+-late") == []
    assert await look(desk, f"q={one}&words=yes") == []
    marked = (await (await desk.person("supervisor")).get("/desk/search?q=PARCEL")).html.select("mark")
    assert [mark.get_text() for mark in marked] == ["parcel"]


async def test_dispositions_are_offered_the_most_frequent_of_the_latest_first(
    desk: DeskKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsdesk.desk.pages.search.LATEST", 4)
    history = await History(desk).begin()
    for hours, disposition in ((9, "Long ago"), (5, "Refund"), (4, "Late"), (3, "Late"), (2, None), (1, "")):
        chat_id = await history.chat(queued=90, taken=80, ended=10)
        await desk.db.execute(
            "insert into wrap_ups (tenant_id, chat_id, agent_id, started_at, disposition)"
            " values (1, $1, 1, now() - make_interval(hours => $2), $3)",
            chat_id, hours, disposition,
        )  # fmt: skip
    await desk.db.execute(
        "insert into wrap_ups (tenant_id, chat_id, agent_id, started_at, disposition) values (1, $1, 2, now(), 'A')",
        chat_id,
    )
    seen = await (await desk.person("supervisor")).get("/desk/search")
    offered = [each.get("value") for each in seen.html.select("#dispositions option")]
    assert offered == ["Late", "A", "Refund"]


async def test_filters(desk: DeskKit) -> None:
    history = await History(desk).begin()
    waits = await history.chat(queued=90)
    mine = await history.chat(queued=80, taken=70)
    left = await history.chat(queued=70, ended=5, rating=4)
    old = await history.chat(begun=3 * 86400, queued=3 * 86400, ended=3 * 86400 - 60, taken=3 * 86400 - 30)
    ours = await history.chat(begun=60, direction="outbound", fail_reason="no_response")
    await history.text(mine, "failed", "unreachable", 50, 1)
    await history.flying(left, "doubtful", 60)
    await desk.db.execute(
        "insert into wrap_ups (tenant_id, chat_id, agent_id, started_at, ended_at, disposition)"
        " values (1, $1, 1, now(), now(), 'Refund & more')", old,
    )  # fmt: skip
    assert await look(desk, "status=waiting") == [waits]
    assert await look(desk, "status=open") == [ours, mine, waits]
    assert await look(desk, "status=abandoned") == [left]
    assert await look(desk, "agent=1") == [mine, old]
    assert await look(desk, f"queue={history.queue_id}&status=ended") == [left, old]
    assert await look(desk, "direction=outbound") == [ours]
    assert await look(desk, "about=failed") == [mine]
    assert await look(desk, "about=doubtful") == [left]
    assert await look(desk, "about=rated") == [left]
    assert await look(desk, "about=unanswered") == [ours]
    assert await look(desk, "disposition=Refund+%26+more") == [old]
    assert await look(desk, "first=2026-02-27&last=2026-02-27") == [old]
    assert await look(desk, "first=2026-03-02&ended=yes") == [left]
    assert await look(desk, f"person={left}") == [left]
    assert await look(desk, f"ours={OURS.replace('+', '%2B')}&status=queued") == [waits]
    assert await look(desk, "status=nonsense&first=yesterday&queue=x&agent=99999999999999999999999&q=%00") == [
        ours, left, mine, waits, old]  # fmt: skip


async def test_days_are_those_of_the_reader(desk: DeskKit) -> None:
    history = await History(desk).begin()
    chat_id = await history.chat(queued=14 * 3600)  # 03:20 UTC on the 2nd, which is the 1st in New York
    supervisor = await desk.person("supervisor")
    cookie = f"{supervisor.cookie}; smsdesk_zone=America/New_York"
    reader = Person(desk, desk.http, cookie)
    assert found(await reader.get("/desk/search?first=2026-03-01&last=2026-03-01")) == [chat_id]
    assert found(await reader.get("/desk/search?first=2026-03-02&last=2026-03-02")) == []


async def test_pages_go_on_where_the_last_one_ended(desk: DeskKit) -> None:
    history = await History(desk).begin()
    made = [await history.chat(queued=60) for _ in range(60)]
    supervisor = await desk.person("supervisor")
    first = await supervisor.get("/desk/search?status=waiting")
    newer = await history.chat(queued=1)
    link = first.html.select_one("a[rel=next]")
    assert link is not None
    second = await supervisor.get(str(link["href"]))
    assert sorted(found(first) + found(second)) == made, "the same times, and a new one meanwhile"
    assert newer not in found(second)
    assert second.html.select_one("a[rel=next]") is None


async def test_another_tenant_is_not_there(desk: DeskKit) -> None:
    history = await History(desk).begin()
    await desk.db.execute("update agents set role = 'supervisor' where agent_id = 4")
    chat_id = await history.chat(queued=60, phone="+14155550177", ticket="5006x")
    await history.says(chat_id, "end_user", "secret words", 50)
    theirs = await desk.person("theirs")
    for asked in ("q=", "q=secret", f"q={chat_id}", "q=5006x", "q=4155550177", "agent=1", f"person={chat_id}"):
        assert found(await theirs.get(f"/desk/search?{asked}")) == [], asked
    after = [await theirs.get(f"/desk/search?after={one}") for one in (chat_id, 12)]
    assert after[0].status == after[1].status == 422
    told = await theirs.post("/desk/search/assign", {"chat_id": str(chat_id), "to": "agent:4"})
    assert "not given" in told.text
    assert await desk.db.fetchval("select agent_id from chats where chat_id = $1", chat_id) is None


async def test_hostile_words_stay_words(desk: DeskKit) -> None:
    history = await History(desk).begin()
    chat_id = await history.chat(queued=60, name=HOSTILE, ticket=HOSTILE)
    await history.says(chat_id, "end_user", f"needle {HOSTILE}" + "x" * 10_000, 50)
    seen = await (await desk.person("supervisor")).get("/desk/search?q=needle")
    assert found(seen) == [chat_id]
    assert not seen.html.select("main script, main i, td b")
    assert len(seen.text) < 40_000
    assert HOSTILE in seen.html.select_one("tbody").get_text()  # type: ignore[union-attr]
    box = (await (await desk.person("supervisor")).get("/desk/search?q=needle+%3Cscript%3E")).html.select_one(
        "#search-q"
    )
    assert box is not None
    assert box["value"] == "needle <script>"


async def test_several_are_given_on_and_each_is_told(desk: DeskKit) -> None:
    history = await History(desk).begin()
    supervisor = await desk.person("supervisor")
    chats = [await history.chat(queued=60), await history.chat(queued=50), await history.chat(queued=40, ended=10)]
    form = [("chat_id", str(chat_id)) for chat_id in [*chats, 999]] + [("to", "agent:2"), ("force", "1")]
    seen = await supervisor.post("/desk/search/assign", form)
    assert seen.status == 200
    said = [re.sub(r"\s+", " ", row.get_text(" ", strip=True)) for row in seen.html.select("tbody tr")]
    assert said[:2] == [f"{chats[0]} given", f"{chats[1]} given"]
    assert said[2] == f"{chats[2]} not given This chat has ended."
    assert "not given" in said[3]
    owners = await desk.db.fetch("select agent_id from chats where ends_at is null order by chat_id")
    assert [row[0] for row in owners] == [2, 2]
    back = await supervisor.post(
        "/desk/search/assign", [("chat_id", str(chats[0])), ("to", f"queue:{history.queue_id}")]
    )
    assert "1 chat was given on" in back.text
    assert await desk.db.fetchval("select status from chats where chat_id = $1", chats[0]) == "transferred"


@pytest.mark.parametrize(
    "form", [{}, {"chat_id": "1"}, {"chat_id": "x", "to": "agent:2"}, {"chat_id": "1", "to": "moon:2"}]
)
async def test_what_cannot_be_read_is_refused(desk: DeskKit, form: dict[str, str]) -> None:
    assert (await (await desk.person("supervisor")).post("/desk/search/assign", form)).status == 422
