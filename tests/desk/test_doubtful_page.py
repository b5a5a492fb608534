"""The doubtful texts: a supervisor sees what is known, and his word is kept with his name."""

import pytest

from tests.desk.history import HOSTILE, History
from tests.kit.desk import DeskKit


async def test_only_supervisors_see_and_settle(desk: DeskKit) -> None:
    history = await History(desk).begin()
    text = await history.flying(await history.chat(queued=90, taken=80), "doubtful", 60)
    john = await desk.person("john")
    for path in ("/desk/doubtful", f"/desk/doubtful/{text}"):
        assert (await john.get(path)).status == 403
    assert (await john.post("/desk/doubtful/settle", {"message_id": str(text), "verdict": "sent"})).status == 403
    assert await desk.db.fetchval("select state from texts") == "doubtful"


@pytest.mark.parametrize(("verdict", "state"), [("sent", "sent"), ("not_sent", "failed"), ("send_again", "queued")])
async def test_a_verdict_is_obeyed_and_keeps_its_author(desk: DeskKit, verdict: str, state: str) -> None:
    history = await History(desk).begin()
    chat_id = await history.chat(queued=90, taken=80)
    texts = [await history.flying(chat_id, "doubtful", 60) for _ in range(2)]
    supervisor = await desk.person("supervisor")
    form = [("message_id", str(text)) for text in texts] + [("verdict", verdict)]
    seen = await supervisor.post("/desk/doubtful/settle", form)
    assert "Written down for 2 texts" in seen.text
    rows = await desk.db.fetch("select verdict, settled_by from settlements where tenant_id = 1")
    assert [tuple(row) for row in rows] == [(verdict, "supervisor@foo.com")] * 2
    now = await desk.db.fetch(
        "select coalesce(m.state, t.state) from messages m left join texts t using (tenant_id, message_id)"
    )
    assert [row[0] for row in now] == [state] * 2
    again = await supervisor.post("/desk/doubtful/settle", form)
    assert "Written down for 0 texts" in again.text
    assert "It is known by now" in again.text


async def test_what_is_known_is_told_in_words(desk: DeskKit) -> None:
    history = await History(desk).begin()
    chat_id = await history.chat(queued=90, taken=80)
    text = await history.flying(chat_id, "doubtful", 60, body=HOSTILE + "y" * 10_000)
    supervisor = await desk.person("supervisor")
    seen = await supervisor.get("/desk/doubtful")
    row = seen.html.select_one(f"#text-{text}")
    assert row is not None
    assert HOSTILE in row.get_text()
    assert len(seen.text) < 30_000
    assert "nothing" in row.get_text()
    assert row.select_one(f"a[href='/desk/chats/{chat_id}']") is not None
    assert not seen.html.select("main script, td b")
    one = await supervisor.get(f"/desk/doubtful/{text}")
    assert "May have been sent; being checked" in one.text
    assert "smsdesk texts" not in one.text, "the form beside it is what to do, and no command"
    assert "being handed over" in one.text, "the part's state, in words"
    assert "y" * 10_000 in one.text
    assert not one.html.select("main script, bdi b")
    assert one.html.select_one("form[action='/desk/doubtful/settle']") is not None
    assert "gets it twice" in one.text, "what sending it again may do"


async def test_another_tenant_finds_nothing(desk: DeskKit) -> None:
    history = await History(desk).begin()
    await desk.db.execute("update agents set role = 'supervisor' where agent_id = 4")
    text = await history.flying(await history.chat(queued=90, taken=80), "doubtful", 60)
    theirs = await desk.person("theirs")
    assert "no doubtful text" in (await theirs.get("/desk/doubtful")).text
    wrong = [await theirs.get(f"/desk/doubtful/{one}") for one in (text, 12)]
    assert [seen.status for seen in wrong] == [404, 404]
    assert wrong[0].text == wrong[1].text
    told = await theirs.post("/desk/doubtful/settle", {"message_id": str(text), "verdict": "not_sent"})
    assert "not written down" in told.text
    assert await desk.db.fetchval("select state from texts") == "doubtful"


async def test_a_long_list_goes_on(desk: DeskKit) -> None:
    history = await History(desk).begin()
    chat_id = await history.chat(queued=90, taken=80)
    texts = [await history.flying(chat_id, "doubtful", 1000 - each) for each in range(53)]
    supervisor = await desk.person("supervisor")
    seen = await supervisor.get("/desk/doubtful")
    link = seen.html.select_one("a[rel=next]")
    assert link is not None
    assert "53 texts" in seen.text
    rest = (await supervisor.get(str(link["href"]))).html.select("tr[id^=text-]")
    assert [row["id"] for row in rest] == [f"text-{text}" for text in texts[50:]]


@pytest.mark.parametrize("form", [{}, {"verdict": "sent"}, {"message_id": "1", "verdict": "perhaps"}])
async def test_what_cannot_be_read_is_refused(desk: DeskKit, form: dict[str, str]) -> None:
    assert (await (await desk.person("supervisor")).post("/desk/doubtful/settle", form)).status == 422
