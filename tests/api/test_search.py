"""Chats, found by what they are and by what was said in them."""

from datetime import timedelta
from typing import Any

import pytest

from smsdesk.jobs.words import Words
from smsdesk.store.words import index_words
from tests.api.talk import V1, Talk
from tests.kit.api import OURS, Answer, Api

SHORT_CODE = "72345"


async def look(api: Api, **filters: Any) -> Answer:
    more = {"auth": filters.pop("auth")} if "auth" in filters else {}
    params = [(name, one) for name, value in filters.items() for one in (value if isinstance(value, list) else [value])]
    return await api.call("GET", f"{V1}/chats", params=params, **more)


async def ids(api: Api, **filters: Any) -> set[int]:
    answer = await look(api, **filters)
    assert answer.status == 200, answer.body
    assert "after" in filters or int(answer.headers["total"]) == len(answer.json)
    return {chat["id"] for chat in answer.json}


@pytest.fixture
async def desk(api: Api) -> dict[str, int]:
    """Chats of every kind, an hour apart from each other."""
    made: dict[str, int] = {}

    async def send(name: str, **fields: Any) -> None:
        made[name] = (await api.send("ticket_id", **fields)).json["id"]
        api.clock.forward(hours=1)

    await send("notice", end_user_number="+14155550101")
    await send("mine", end_user_number="+14155550102", agentId=1)
    await send("ticket", end_user_number="+14155550103", agentId=2)
    await api.db.execute("update chats set ticket_id = 'T-7' where chat_id = $1", made["ticket"])
    waiting = Talk(api, "+14155550104")
    await waiting.hear("where is my parcel?")
    made["waiting"] = waiting.chat_id
    api.clock.forward(hours=1)
    answered = Talk(api, "+14155550105")
    await answered.hear("and mine?")
    await answered.answer("It is on its way.", after=5)
    made["answered"] = answered.chat_id
    ended = Talk(api, "+14155550106")
    await ended.hear("hola")
    await api.db.execute("update chats set lang = 'es' where chat_id = $1", ended.chat_id)
    api.clock.forward(hours=1)
    await ended.end(agent=None)
    made["ended"] = ended.chat_id
    return made


async def test_each_filter_finds_what_it_means(api: Api, desk: dict[str, int]) -> None:
    queue = await api.db.fetchval("select queue_id from queues where tenant_id = 1 and name = 'Support'")
    of_105 = await api.db.fetchval("select end_user_id from end_users where number = '+14155550105'")
    await api.db.execute("update chats set outbound_number = $1 where chat_id = $2", SHORT_CODE, desk["notice"])
    await api.db.execute(
        "insert into numbers (tenant_id, number, carrier_id) select 1, $1, carrier_id from numbers where number = $2",
        SHORT_CODE, OURS,
    )  # fmt: skip
    await api.set()
    for filters, found in (
        ({}, set(desk)),
        ({"status": "selecting"}, {"notice"}),
        ({"status": ["queued", "finished"]}, {"waiting", "ended"}),
        ({"number": "(415) 555-0105"}, {"answered"}),
        ({"number": "+14155550199"}, set()),
        ({"end_user_id": of_105}, {"answered"}),
        ({"outbound_number": SHORT_CODE}, {"notice"}),
        ({"agent_id": 1}, {"mine", "answered"}),
        ({"queue_id": queue}, {"waiting", "answered", "ended"}),
        ({"lang": "es"}, {"ended"}),
        ({"direction": "outbound"}, {"notice", "mine", "ticket"}),
        ({"ticket_id": "T-7"}, {"ticket"}),
        ({"created_at[from]": "2026-03-02T19:20:00Z", "created_at[to]": "2026-03-02T20:21:00Z"}, {"ticket", "waiting"}),
        ({"ends_at[from]": "2026-03-02T00:00:00Z"}, {"ended"}),
        ({"ends_at[to]": "2026-03-02T00:00:00Z"}, set()),
        ({"unread": "true"}, {"waiting"}),
        ({"unread": "false", "direction": "inbound"}, {"answered", "ended"}),
        ({"agent_id": 1, "direction": "inbound"}, {"answered"}),
    ):
        assert await ids(api, **filters) == {desk[name] for name in found}, filters  # type: ignore[arg-type]
    assert await ids(api, auth=("other", "other-secret")) == set()


async def test_what_cannot_be_looked_for_is_refused(api: Api) -> None:
    for filters, says in (
        ({"status": "asleep"}, "status must be one of selecting, queued, resumed, transferred, assigned, ongoing, "
                               "dismissed, finished, failed, abandoned"),
        ({"q": ":-)"}, "q has no word to search for"),
        ({"q": "a\0b"}, "q has U+0000 in it"),
        ({"after": "12345"}, "after names no chat"),
        ({"ends_at[from]": "2026-03-02T00:00:00"}, "ends_at[from] needs its time zone, such as Z at its end"),
        ({"ends_at[to]": "yesterday"}, "ends_at[to]: Invalid RFC3339 encoded datetime"),
        ({"direction": "sideways"}, "direction: Invalid enum value 'sideways'"),
    ):  # fmt: skip
        refused = await look(api, **filters)
        assert (refused.status, refused.json) == (400, {"message": says})


async def test_a_long_list_is_gone_through_by_its_last_id(api: Api, desk: dict[str, int]) -> None:
    for way in ("DESC", "ASC"):
        whole = [chat["id"] for chat in (await look(api, sort_direction=way)).json]
        assert sorted(whole) == sorted(desk.values())
        seen = [chat["id"] for chat in (await look(api, sort_direction=way, per=2)).json]
        while True:
            page = await look(api, sort_direction=way, per=2, after=seen[-1])
            assert "total" not in page.headers
            seen += [chat["id"] for chat in page.json]
            if "link" not in page.headers:
                break
            assert f"after={seen[-1]}" in page.headers["link"]
            assert 'rel="next"' in page.headers["link"]
        assert seen == whole


async def test_chats_of_one_moment_are_all_gone_through(api: Api) -> None:
    made = {(await api.send(end_user_number=f"+1415555010{number}")).json["id"] for number in range(5)}
    seen = [chat["id"] for chat in (await look(api, per=2)).json]
    for _ in range(2):
        seen += [chat["id"] for chat in (await look(api, per=2, after=seen[-1])).json]
    assert (len(seen), set(seen)) == (5, made)


async def indexed(api: Api) -> None:
    """The job has run."""
    await Words(api.services.db, api.clock).index()


async def test_words_find_their_chat(api: Api, desk: dict[str, int]) -> None:
    await indexed(api)
    for words, found in (
        ("parcel", {"waiting"}),
        ("PARCEL where", {"waiting"}),
        ("lorem", {"notice", "mine", "ticket"}),
        ('"on its way"', {"answered"}),
        ('"way its on"', set()),
        ("parcel or hola", {"waiting", "ended"}),
        ("mine -parcel", {"answered"}),
        ("is -parcel", {"answered"}),
        ("mine parcel", set()),  # each was said, but not in one message
        ("on its way parcel", set()),
        ("nothing", set()),
        ("t:1", set()),
        ("'", None),
    ):
        answer = await look(api, q=words)
        if found is None:
            assert answer.status == 400
        else:
            assert {chat["id"] for chat in answer.json} == {desk[name] for name in found}, words
    assert await ids(api, q="parcel", unread="true") == {desk["waiting"]}
    assert await ids(api, q="parcel", direction="outbound") == set()


async def test_nobody_finds_another_tenants_words(api: Api, desk: dict[str, int]) -> None:
    await indexed(api)
    for words in ("parcel", "-nothing", "t:1", "1", '"t:1"'):
        assert await ids(api, q=words, auth=("other", "other-secret")) == set()


async def test_a_message_is_found_once_the_job_has_seen_it(api: Api) -> None:
    talk = Talk(api)
    await talk.hear("first")
    await indexed(api)
    await talk.hear("second", after=1)
    assert await ids(api, q="second") == set()
    await indexed(api)
    assert await ids(api, q="second") == await ids(api, q="first") == {talk.chat_id}
    await indexed(api)
    assert await api.count("message_words") == await api.count("messages")


async def test_what_was_written_late_is_found_too(api: Api) -> None:
    """A transaction that ended minutes after it began, while the job went on."""
    talk = Talk(api)
    await talk.hear("early")
    began = api.clock()
    for _ in range(4):
        api.clock.forward(seconds=29)
        await indexed(api)
    await api.db.execute(
        "insert into messages (tenant_id, chat_id, message_id, sender, body, encoding, parts, created_at) "
        "values (1, $1, 999999, 'api', 'belated', 'gsm7', 1, $2)",
        talk.chat_id, began,
    )  # fmt: skip
    for _ in range(5):
        api.clock.forward(seconds=29)
        await indexed(api)
    assert await ids(api, q="belated") == {talk.chat_id}


async def test_what_was_written_down_is_not_read_again_at_each_look(api: Api) -> None:
    talk = Talk(api)
    await talk.hear("early")
    await api.db.execute(
        "insert into messages (tenant_id, chat_id, message_id, sender, body, encoding, parts, created_at) "
        "select 1, $1, 100000 + n, 'api', 'word' || n, 'gsm7', 1, $2::timestamptz - n * interval '50 milliseconds' "
        "from generate_series(0, 3599) n",
        talk.chat_id, api.clock(),
    )  # fmt: skip
    await indexed(api)
    async with api.services.db.connection() as conn, conn.transaction():
        read = "select sum(idx_tup_fetch) from pg_stat_xact_user_tables where relname like 'messages%'"
        before = await conn.fetchval(read)
        assert await index_words(conn, 1, api.clock(), 500) == 0
        after = await conn.fetchval(read)
    assert 0 < after - before < 100, "two seconds of three minutes"


async def test_a_long_history_is_taken_in_piece_by_piece(api: Api) -> None:
    talk = Talk(api)
    await talk.hear("early")
    await api.db.execute(
        "insert into messages (tenant_id, chat_id, message_id, sender, body, encoding, parts, created_at) "
        "select 1, $1, 100000 + n, 'api', 'word' || n, 'gsm7', 1, $2::timestamptz - n * interval '1 minute' "
        "from generate_series(1, 50) n",
        talk.chat_id, api.clock() - timedelta(hours=1),
    )  # fmt: skip
    async with api.services.db.connection() as conn:
        taken = [await index_words(conn, 1, api.clock(), 20) for _ in range(4)]
        front = await conn.fetchval("select front from word_marks where tenant_id = 1")
    assert taken[:2] == [20, 20]
    assert sum(taken) == await api.count("messages")
    assert front > api.clock() - timedelta(hours=2), "what was taken in is not read again and again"


async def test_words_are_found_by_their_index(api: Api) -> None:
    talk = Talk(api)
    await talk.hear("early")
    await api.db.execute(
        "insert into messages (tenant_id, chat_id, message_id, sender, body, encoding, parts, created_at) "
        "select 1, $1, 100000 + n, 'api', 'word' || n, 'gsm7', 1, $2 from generate_series(1, 3000) n",
        talk.chat_id, api.clock(),
    )  # fmt: skip
    await indexed(api)
    await api.db.execute("analyze message_words")
    plan = await api.db.fetch(
        "explain select w.chat_id from message_words w where w.tenant_id = 1 "
        "and w.words @@ (websearch_to_tsquery('simple', 'word77') && '''t:1'''::tsquery)"
    )
    assert "message_words_found" in "\n".join(row[0] for row in plan)
