"""The seed's example from end to end: over HTTP, SMPP and the handset, and back."""

import time
from typing import Any

import pytest

from tests.kit.api import CONSUMER, OURS, SEED
from tests.kit.demo_setup import Client, apply, setup_text
from tests.kit.processes import smsdesk, until

from .conftest import Journey

LIMIT = 20.0
ABOUT_A_SECOND = 1.8
"""The promise is a second; the rest is for the request that looks, and for a busy machine."""
BODY = "lorem ipsum"


async def on_screen(journey: Journey, count: int) -> list[dict[str, Any]]:
    """The texts on the consumer's handset, once there are so many."""

    async def shown() -> list[dict[str, Any]] | None:
        texts = await journey.handsets.texts(CONSUMER)
        return texts if len(texts) >= count else None

    return await until(shown, LIMIT, f"{count} texts on the handset") or []


async def has_status(client: Client, chat_id: int, status: str) -> dict[str, Any]:
    """The chat, once it has this status."""

    async def found() -> dict[str, Any] | None:
        chat = await client.chat(chat_id)
        return chat if chat["status"] == status else None

    return await until(found, LIMIT, f"chat {chat_id} is {status}") or {}


async def says(client: Client, chat_id: int, content: str, status: str | None = None) -> dict[str, Any]:
    """The message of a chat with these words, once it is there with this status."""

    async def found() -> dict[str, Any] | None:
        said = await client.messages(chat_id)
        return next((one for one in said if one["content"] == content and one["status"] == status), None)

    return await until(found, LIMIT, f"{content!r} is {status} in chat {chat_id}") or {}


async def converse(journey: Journey) -> None:
    """One conversation from the first text to the next chat."""
    client, handsets = journey.client, journey.handsets
    sent = await client.call("POST", "/sms", json=SEED)
    assert (sent.status, sent.json["status"], sent.json["out_ticket_id"]) == (200, "selecting", None)
    chat_id: int = sent.json["id"]

    (first,) = await on_screen(journey, 1)
    assert (first["source"], first["body"], first["parts"], first["encoding"]) == (OURS, BODY, 1, "gsm7")
    told = await says(client, chat_id, BODY, "delivered")
    assert (told["sender"], told["reason"], told["segments"]) == ("api", None, 1)

    await handsets.reply(CONSUMER, "Who is this? ¿Sì?")
    chat = await has_status(client, chat_id, "queued")
    assert chat["queued_at"] is not None
    assert chat["menu_path"]["name"] == "Support/Orders"
    assert (await says(client, chat_id, "Who is this? ¿Sì?"))["sender"] == "end_user"

    agent = next(iter((await smsdesk_agents(journey)).values()))
    wanted = {"from_user_id": agent, "message": {"type": "text", "content": "This is John 😀"}}
    answered = await client.call("POST", f"/chats/{chat_id}/message", json=wanted)
    assert (answered.status, answered.json["agent_id"]) == (200, agent)
    assert (await on_screen(journey, 2))[1]["body"] == "This is John 😀"
    await says(client, chat_id, "This is John 😀", "delivered")
    assert (await client.chat(chat_id))["agent_info"]["email"] == "john.doe@foo.com"

    refused = await client.call("POST", "/sms", json=SEED)
    assert refused.status == 400
    assert refused.json["message"] == "Outbound SMS failed. Consumer is already in an active SMS session."

    ended = await client.call("PATCH", f"/chats/{chat_id}", json={"chat": {"status": "finished"}})
    assert (ended.status, ended.json["status"]) == (200, "finished")
    again = await client.call("POST", "/sms", json=SEED)
    assert again.status == 200
    assert again.json["id"] != chat_id
    assert len(await on_screen(journey, 3)) == 3


async def smsdesk_agents(journey: Journey) -> dict[str, int]:
    """The agents' ids by their address, as a send that names one shows them."""
    other = "+14155550101"
    sent = await journey.client.send(other, "to learn an id", agentEmail="john.doe@foo.com")
    assert sent.status == 200, sent.body
    info = sent.json["agent_info"]
    return {info["email"]: info["id"]}


async def test_a_conversation_from_the_first_text_to_the_next_chat(journey: Journey) -> None:
    await converse(journey)


async def test_the_same_with_the_api_and_the_worker_in_two_processes(journey_of_two: Journey) -> None:
    await converse(journey_of_two)


async def test_a_text_out_of_the_blue_opens_a_chat_in_the_queue(journey: Journey) -> None:
    await journey.handsets.reply(CONSUMER, "Is my order on its way?")

    async def opened() -> list[dict[str, Any]]:
        return await journey.client.chats(status="queued")

    (chat,) = await until(opened, LIMIT, "a chat in the queue")
    assert (chat["outbound_number"], chat["menu_path"]["name"]) == (OURS, "Support/Orders")
    await says(journey.client, chat["id"], "Is my order on its way?")


@pytest.mark.parametrize(
    ("body", "encoding", "parts"), [("{one} two € ~" * 30, "gsm7", 4), ("sì 😀 日本 " * 18, "ucs2", 3)]
)
async def test_long_texts_arrive_whole_both_ways(journey: Journey, body: str, encoding: str, parts: int) -> None:
    body = body.strip()
    sent = await journey.client.send(CONSUMER, body)
    assert sent.status == 200
    (shown,) = await on_screen(journey, 1)
    assert (shown["body"], shown["encoding"], shown["parts"]) == (body, encoding, parts)
    told = await says(journey.client, sent.json["id"], body, "delivered")
    assert (told["encoding"], told["segments"]) == (encoding, parts)

    await journey.handsets.reply(CONSUMER, body + "!")
    heard = await says(journey.client, sent.json["id"], body + "!")
    assert (heard["sender"], heard["encoding"]) == ("end_user", encoding)


async def test_stop_start_and_help_are_obeyed_and_answered(journey: Journey) -> None:
    client, handsets = journey.client, journey.handsets
    sent = await client.send(CONSUMER, BODY)
    await on_screen(journey, 1)

    await handsets.reply(CONSUMER, "help")
    assert "Reply STOP to opt out" in (await on_screen(journey, 2))[1]["body"]

    await handsets.reply(CONSUMER, "Stop.")
    assert "opted out" in (await on_screen(journey, 3))[2]["body"]
    assert (await has_status(client, sent.json["id"], "failed"))["fail_reason"] == "end_user_opt_out"
    refused = await client.send(CONSUMER, "one more")
    assert (refused.status, refused.json["message"]) == (400, "Consumer has opted out of SMS.")

    await handsets.reply(CONSUMER, "START")
    assert "opted in" in (await on_screen(journey, 4))[3]["body"]
    assert (await client.send(CONSUMER, "welcome back")).status == 200
    assert [text["body"] for text in await on_screen(journey, 5)][4:] == ["welcome back"]


async def test_a_running_server_sees_a_new_set_up_within_a_second(journey: Journey) -> None:
    client = journey.client
    port = journey.handsets.smpp_port
    new = "+16285550198"
    assert (await client.send(CONSUMER, BODY, outbound_number=new)).status == 400
    await apply(journey.database, journey.folder, setup_text(port).replace("agents:", AND_A_NUMBER))
    began = time.monotonic()

    async def accepted() -> bool:
        return (await client.send(CONSUMER, BODY, outbound_number=new)).status == 200

    await until(accepted, LIMIT, "the new number accepted")
    assert time.monotonic() - began < ABOUT_A_SECOND
    assert (await on_screen(journey, 1))[0]["source"] == new

    await smsdesk("token", "disable", "acme", "tests", folder=journey.folder, database=journey.database)
    began = time.monotonic()

    async def turned_away() -> bool:
        return (await client.call("GET", "/chats")).status == 401

    await until(turned_away, LIMIT, "the disabled token refused")
    assert time.monotonic() - began < ABOUT_A_SECOND


AND_A_NUMBER = """\
  - {number: "+1 628-555-0198", carrier: upstream, queue: Billing, label: Second}
agents:"""


async def test_another_port_of_the_carrier_is_used_within_a_second(journey: Journey) -> None:
    await until(journey.handsets.lines, LIMIT, "the line bound")
    text = setup_text(journey.handsets.smpp_port).replace("system_id: acme", "system_id: renamed")
    await apply(journey.database, journey.folder, text)
    began = time.monotonic()

    async def renamed() -> bool:
        return [line["system_id"] for line in await journey.handsets.call("GET", "/lines")] == ["renamed"]

    await until(renamed, LIMIT, "the line bound under its new name")
    assert time.monotonic() - began < ABOUT_A_SECOND
    await journey.client.send(CONSUMER, BODY)
    assert (await on_screen(journey, 1))[0]["system_id"] == "renamed"
