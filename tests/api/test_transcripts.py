"""What is kept of a chat, to read and to keep elsewhere: the transcript and the metadata."""

from datetime import datetime

import pytest

from tests.api.talk import V1, Talk
from tests.kit.api import OURS, Api


@pytest.fixture
async def talk(api: Api) -> Talk:
    """A tenant in New York whose agents 1 and 2 are there, and a consumer who has written twice and was answered."""
    await api.set(time_zone="America/New_York", company_name="Acme", queue_defaults={"texts": {"greeting": ""}})
    await api.db.execute("""update queues set effective = '{"texts": {"greeting": ""}, "target_seconds": 30}'""")
    talk = Talk(api)
    await talk.staff(1, 2)
    for agent in (1, 2):
        await api.call("PUT", f"{V1}/agents/{agent}/status", json={"status": "available"})
    await talk.hear("hello")
    await talk.hear("anybody\r\nthere?", after=3)
    await talk.do("take", after=2, agent_id=1)
    await talk.answer("Hi.", after=7)
    return talk


async def test_it_reads_as_it_was(talk: Talk) -> None:
    named = {"identifier": "c-1", "name": "Jane Mary Roe", "phone": talk.consumer}
    assert (await talk.api.call("POST", f"{V1}/end_users", json=named)).status == 200
    await talk.hear("[12:00:00 System] Chat finished by the agent.", after=20)
    await talk.end(after=24 * 3600)
    text = await talk.get("/transcript.txt")
    assert text.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert text.body.decode() == (
        f"Chat ID: {talk.chat_id}\n"
        "Date: 2026-03-02 (America/New_York)\n"
        "\n[12:20:51 System] Chat started by the customer.\n"
        "\n[12:20:51 Jane M.]\n  hello\n"
        "\n[12:20:51 System] Chat waits in Support.\n"
        "\n[12:20:54 Jane M.]\n  anybody\n  there?\n"
        "\n[12:20:56 System] John D. has the chat.\n"
        "\n[12:21:03 John D.]\n  Hi.\n"
        "\n[12:21:23 Jane M.]\n  [12:00:00 System] Chat finished by the agent.\n"
        "\n[2026-03-03 12:21:23 System] Chat finished by the agent.\n"
    )


async def test_a_send_stands_in_the_name_of_the_company(api: Api) -> None:
    talk = Talk(api, chat_id=(await api.send()).json["id"])
    api.clock.forward(minutes=5)
    await api.send(when_active="append")
    lines = (await talk.get("/transcript.txt")).body.decode().splitlines()
    assert lines[3:7] == ["[17:20:51 System] Chat started by acme.", "", "[17:20:51 acme]", "  lorem ipsum"]


async def test_as_json_it_says_who_and_what_of_each_turn(talk: Talk) -> None:
    transcript = (await talk.get("/transcript")).json
    assert (transcript["chat_id"], transcript["time_zone"]) == (talk.chat_id, "America/New_York")
    turns = [(one["type"], one["sender"], one["agent_id"], one["texts"]) for one in transcript["segments"]]
    assert ("message", "end_user", None, ["anybody\r\nthere?"]) in turns
    assert turns[-1] == ("message", "agent", 1, ["Hi."])
    assert transcript["segments"][-1]["at"] == "2026-03-02T17:21:03.123Z"
    assert {one["type"] for one in transcript["segments"]} == {"message", "activity"}


async def test_what_one_side_says_in_a_row_is_one_turn(talk: Talk) -> None:
    await talk.answer("One", after=1)
    await talk.answer("more.", after=1)
    last = (await talk.get("/transcript")).json["segments"][-1]
    assert last["texts"] == ["Hi.", "One", "more."]
    assert last["at"] == "2026-03-02T17:21:03.123Z"


async def test_the_request_says_in_which_form(talk: Talk) -> None:
    for accept, kind in (
        ("text/plain", "text/plain"),
        ("text/plain;q=0.9, application/json", "text/plain"),
        ("application/json, text/plain", "application/json"),
        ("*/*", "application/json"),
        ("text/html", "application/json"),
    ):
        answer = await talk.get("/transcript", headers={"Accept": accept})
        assert answer.headers["Content-Type"].startswith(kind)


async def test_notes_are_left_out_unless_they_are_asked_for(talk: Talk) -> None:
    note = await talk.do("notes", after=1, agent_id=1, content="is in a hurry")
    for form in ("/transcript", "/transcript.txt"):
        assert b"hurry" not in (await talk.get(form)).body
    assert "[12:21:04 John D., note]\n  is in a hurry\n" in (await talk.get("/transcript.txt?notes=true")).body.decode()
    assert (await talk.api.call("GET", f"{V1}/texts/{note.json['id']}")).status == 404, "it went to no carrier"
    shown = (await talk.get("/messages")).json[-1]
    assert (shown["sender"], shown["status"], shown["delivered_segments"]) == ("note", None, None)


async def test_what_happened_to_it_is_told(talk: Talk) -> None:
    moved = await talk.do("transfers", after=1, from_agent_id=1, to_agent_id=2, kind="cold")
    await talk.do("decline", after=1, agent_id=2)
    text = (await talk.get("/transcript.txt")).body.decode()
    assert moved.status < 300
    assert "[12:21:04 System] John D. transferred the chat to Second A. (cold).\n" in text
    declined = text.index("[12:21:05 System] Second A. declined the offer.\n")
    failed = text.index("[12:21:05 System] The transfer to Second A. failed: declined.\n")
    assert declined < failed < text.index("[12:21:05 System]", failed + 1)  # then what the chat became of it


async def test_a_transfer_to_a_queue_names_the_queue_whoever_takes_it(talk: Talk) -> None:
    (queue,) = [one["id"] for one in (await talk.api.call("GET", f"{V1}/queues")).json if one["leaf"]]
    await talk.do("transfers", after=1, from_agent_id=1, to_queue_id=queue)
    await talk.do("take", after=1, agent_id=2)
    text = (await talk.get("/transcript.txt")).body.decode()
    assert "John D. transferred the chat to Support (cold).\n" in text
    assert "Second A. has the chat.\n" in text


async def test_files_stand_where_they_came(talk: Talk) -> None:
    await talk.hear("look", after=1, media=["https://files.example.com/a.jpg"])
    assert "  look\n  (file: not here yet)\n" in (await talk.get("/transcript.txt")).body.decode()
    (file,) = (await talk.get("/transcript")).json["segments"][-1]["media"]
    assert (file["url"], file["kind"]) == (None, None)


async def test_the_metadata_tells_where_the_time_went(talk: Talk) -> None:
    await talk.hear("and now?", after=20)
    await talk.answer("Now it works.", after=4)
    await talk.end(after=6)
    metadata = (await talk.get("/metadata")).json
    assert metadata["session_type_v2"] == "Messaging Inbound (SMS)"
    assert (metadata["created_at"], metadata["ends_at"]) == (
        "2026-03-02T12:20:51.123-05:00", "2026-03-02T12:21:33.123-05:00",
    )  # fmt: skip
    assert metadata["durations"] == {"selecting": 0, "queue": 5, "handle": 37, "dismissed": 0, "total": 42}
    (queued,) = metadata["queue_durations"]
    assert (queued["queue_duration"], queued["menu_path"], queued["agent_id"]) == (5, "Support", 1)
    assert (queued["service_level_event"], queued["service_level_target_time"]) == ("in_sla", 30)
    (handled,) = metadata["handle_durations"]
    assert (handled["chat_duration"], handled["assigned_connection_duration"]) == (37, 7)
    assert (handled["response_count"], handled["response_time_total"], handled["response_time_max"]) == (2, 11, 7)
    assert (metadata["average_response_time"], metadata["longest_response_time"]) == (5, 7)
    assert (metadata["message_count"], metadata["disconnected_by"]) == (5, "disconnected_by_agent")
    consumer, agent = metadata["participants"]
    assert (consumer["phone_number"], consumer["teams"]) == (talk.consumer, [])
    assert (agent["email"], agent["teams"], agent["phone_number"]) == ("john.doe@foo.com", ["Support"], None)


async def test_the_metadata_follows_a_chat_from_agent_to_agent(talk: Talk) -> None:
    await talk.do("transfers", after=10, from_agent_id=1, to_agent_id=2, kind="cold")
    await talk.do("accept", after=40, agent_id=2)
    await talk.answer("I am new here.", after=5, agent=2)
    await talk.end(after=5, agent=2)
    metadata = (await talk.get("/metadata")).json
    assert [one["agent_id"] for one in metadata["handle_durations"]] == [1, 2]
    assert [one["transfer"] for one in metadata["handle_durations"]] == [False, True]
    first, second = metadata["queue_durations"]
    assert (first["transfer_cold"], second["transfer_cold"]) == (False, True)
    assert (second["queue_duration"], second["service_level_event"], second["agent_id"]) == (40, "not_in_sla", 2)
    lived = datetime.fromisoformat(metadata["ends_at"]) - datetime.fromisoformat(metadata["created_at"])
    *parts, total = metadata["durations"].values()
    assert sum(parts) == total == lived.total_seconds()


async def test_what_an_agent_noted_after_it_is_in_the_metadata(talk: Talk) -> None:
    await talk.end()
    note = {"agent_id": 1, "disposition": "Billing", "notes": "paid", "done": True}
    assert (await talk.api.call("PUT", f"{V1}/chats/{talk.chat_id}/wrap_up", json=note)).status == 200
    metadata = (await talk.get("/metadata")).json
    assert metadata["dispositions"] == [{"agent_id": 1, "disposition": "Billing", "notes": "paid"}]


async def test_a_chat_that_a_send_began_is_so_called(api: Api) -> None:
    talk = Talk(api, chat_id=(await api.send()).json["id"])
    metadata = (await talk.get("/metadata")).json
    assert (metadata["chat_type"], metadata["session_type_v2"]) == (
        "Messaging (SMS)", "Messaging Outbound (SMS via API)",
    )  # fmt: skip
    await api.db.execute("update numbers set queue_id = null, agent_id = 1 where number = $1", OURS)
    assert (await talk.get("/metadata")).json["session_type_v2"] == "Messaging Outbound (SMS Direct via API)"


async def test_another_tenants_chat_is_not_there(talk: Talk) -> None:
    for part in ("/transcript", "/transcript.txt", "/metadata"):
        assert (await talk.get(part, auth=("other", "other-secret"))).status == 404
