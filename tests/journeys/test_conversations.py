"""Conversations from end to end, with phones on one side and agents on the other, over one running server: what a
consumer reads on the screen, and what the desk sees over HTTP."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from smsdesk.errors import Problem
from tests.kit.api import OURS
from tests.kit.database import Clones
from tests.kit.processes import until
from tests.lab.process import LabProcess
from tests.media import samples

from .scenes import LIMIT, Center, open_center
from .setup_file import CLOSING, OVER_HTTP, PICTURES, UNREAD

pytestmark = pytest.mark.asyncio(loop_scope="module")

GREETING = (
    "Acme: Thanks for your text. Recurring messages. Msg & data rates may apply. Reply HELP for help, STOP to opt out."
)
MENU = "Reply with a number:\n1 Billing\n2 Orders"
NOT_UNDERSTOOD = f"Sorry, that is not on the list.\n{MENU}"
ORDERS = "Orders: what may we look up?"
QUESTION = "Acme: How was your conversation with us? Reply with a number from 1 (bad) to 5 (very good)."
OPTED_OUT = "Acme: You are opted out and will get no more messages. Reply START to opt back in."
ZONES = [ZoneInfo(name) for name in (
    "Pacific/Honolulu", "America/Los_Angeles", "America/New_York", "Europe/London", "Asia/Dubai", "Asia/Tokyo",
    "Pacific/Auckland",
)]  # fmt: skip
"""Around the world, so that it is always night in one and day in another."""


@pytest.fixture(scope="module")
def shared_database(database_clones: Clones) -> Iterator[str]:
    """One for all tests here."""
    name = database_clones.create()
    yield database_clones.dsn(name)
    database_clones.drop(name)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def center(
    lab: LabProcess, shared_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Center]:
    """One for all journeys."""
    async with open_center(lab, shared_database, tmp_path_factory.mktemp("center")) as center:
        yield center


async def in_the_menu(center: Center, over: str = OURS) -> tuple[str, int]:
    """A consumer who has been sent the menu, and his chat."""
    phone = center.phone()
    await center.write(phone, "Hello?", over)
    assert await center.screen(phone, 1) == [f"{GREETING}\n{MENU}"]
    return phone, (await center.chat_of(phone, status="selecting"))["id"]


async def test_from_the_menu_over_two_agents_to_the_survey(center: Center) -> None:
    phone, chat_id = await in_the_menu(center)
    await center.ready("billing-1", "billing-2")
    await center.write(phone, "1")
    await center.shows(chat_id, status="queued", offer_type="deltacast")
    (offer,) = await center.call("GET", f"/agents/{center.agents['billing-1']}/offers")
    assert (offer["chat_id"], offer["queue"], offer["last_words"]) == (chat_id, "Billing", "1")
    assert (await center.does("billing-1", chat_id, "accept"))["agent_info"]["email"] == "billing-1@foo.com"
    assert (await center.answers("billing-1", chat_id, "Which bill is it?")).status == 200
    await center.write(phone, "That of May")
    await center.shows(chat_id, status="ongoing")

    given = await center.transfers("billing-1", chat_id, to_agent_id=center.agents["billing-2"], note="The bill of May")
    assert (given["status"], given["agent_info"]) == ("transferred", None)
    taken = await center.does("billing-2", chat_id, "accept")
    (transfer,) = taken["transfers"]
    assert (transfer["status"], transfer["to_agent"]["email"]) == ("connected", "billing-2@foo.com")
    assert ("note", "The bill of May") in await center.said(chat_id)
    too_late = await center.answers("billing-1", chat_id, "And another thing")
    assert too_late.status == 409
    assert (await center.answers("billing-2", chat_id, "It is paid.")).status == 200
    ended = await center.finishes("billing-2", chat_id)
    assert (ended["status"], ended["disconnected_by"]) == ("finished", "disconnected_by_agent")

    await center.screen(phone, 4)
    await center.write(phone, "4 - friendly")
    assert (await center.screen(phone, 5))[1:] == [
        "Which bill is it?", "It is paid.", f"{CLOSING}\n{QUESTION}", "Thank you for your answer.",
    ]  # fmt: skip
    rated = await center.shows(chat_id, rating=4)
    assert rated["has_feedback"]
    assert (await center.chat_of(phone))["id"] == chat_id, "the answer opened no other chat"


async def test_spanish_by_keyword_and_the_way_out(center: Center) -> None:
    phone = center.phone()
    await center.write(phone, "Español!")
    chat = await center.chat_of(phone, status="queued")
    assert (chat["lang"], chat["menu_path"]["name"], chat["selected_menu"]["hidden"]) == ("es", "Español", True)
    await center.write(phone, "exit")
    left = await center.shows(chat["id"], status="abandoned")
    assert left["disconnected_by"] == "disconnected_by_end_user"
    greeting, goodbye = await center.screen(phone, 2)
    assert greeting.startswith("Acme: Gracias por su mensaje.")
    assert goodbye == "Ha dejado la consulta. Puede escribirnos de nuevo cuando quiera."


@pytest.mark.parametrize("words", ["STOP", "please stop texting me"])
async def test_a_revocation_in_the_midst_of_a_menu(center: Center, words: str) -> None:
    phone, chat_id = await in_the_menu(center)
    await center.write(phone, words)
    ended = await center.shows(chat_id, status="failed")
    assert (ended["fail_reason"], ended["disconnected_by"]) == ("end_user_opt_out", "disconnected_by_end_user")
    assert (await center.screen(phone, 2))[1] == OPTED_OUT
    refused = await center.client.send(phone, "One more thing")
    assert (refused.status, refused.json["message"]) == (400, "Consumer has opted out of SMS.")


async def test_stop_while_an_agent_is_in_the_chat(center: Center) -> None:
    phone = center.phone()
    chat_id = (await center.with_agent(phone, "ALONE", "alone-1"))["id"]
    assert (await center.answers("alone-1", chat_id, "Good morning.")).status == 200
    await center.screen(phone, 2)
    await center.write(phone, "Stop!")
    ended = await center.shows(chat_id, status="failed", fail_reason="end_user_opt_out")
    assert [part["status"] for part in ended["participants"]] == ["finished", "finished"]
    assert await center.screen(phone, 3) == [GREETING, "Good morning.", OPTED_OUT]
    refused = await center.answers("alone-1", chat_id, "But why?")
    assert (refused.status, refused.json["message"]) == (400, "Chat is already ended")


async def test_doubtful_words_hold_notices_until_a_person_decides(center: Center) -> None:
    phone = center.phone()
    chat_id = (await center.with_agent(phone, "ALONE", "alone-1"))["id"]
    await center.write(phone, "I think you have the wrong number")
    notice = {"end_user_number": phone, "outbound_number": OURS, "message": "Your order has left."}

    async def held() -> list[dict[str, Any]]:
        holds = await center.call("GET", "/consent_holds", params={"per": "1000"})
        return [hold for hold in holds if hold["chat_id"] == chat_id]

    (hold,) = await until(held, LIMIT, "somebody is asked")
    refused = await center.client.call("POST", "/notices", json=notice)
    assert refused.status == 400
    assert "may have opted out" in refused.json["message"]
    assert (await center.answers("alone-1", chat_id, "Sorry about that!")).status == 200, "a person may go on"
    await center.finishes("alone-1", chat_id)
    decision = {"decision": "revoked", "agent_id": center.agents["alone-1"]}
    assert (await center.call("POST", f"/consent_holds/{hold['id']}", json=decision))["decision"] == "revoked"
    refused = await center.client.call("POST", "/notices", json=notice)
    assert refused.json["message"] == "Consumer has opted out of SMS."


async def test_a_queue_that_is_closed_says_when_it_opens(center: Center) -> None:
    closed = f"Acme: We are closed now. We open again at 9:00 AM UTC on {center.opens:%A, %B} {center.opens.day}."
    waits, ends = center.phone(), center.phone()
    await center.write(waits, "NIGHT")
    await center.write(ends, "SHUT")
    for phone in (waits, ends):
        assert await center.screen(phone, 1) == [f"{GREETING}\n{closed}"]
    chat = await center.chat_of(waits, status="queued")
    await center.write(waits, "Then I shall wait.")
    await center.chat_of(ends, status="failed", fail_reason="after_hours")
    assert (await center.client.chat(chat["id"]))["offer_events"] == [], "nobody is asked before it opens"
    assert len(await center.screen(waits, 1)) == 1, "it is said once"


async def test_another_agent_gets_the_chat_of_one_who_vanishes(center: Center) -> None:
    phone = center.phone()
    chat_id = (await center.with_agent(phone, "CARE", "care-1"))["id"]
    path = f"/agents/{center.agents['care-1']}"
    await center.call("POST", f"{path}/presence", json={"seconds": 1})
    await center.write(phone, "Are you there?")

    async def unresponsive() -> bool:
        return (await center.call("GET", path))["status"]["name"] == "unresponsive"

    await until(unresponsive, LIMIT, "the desk is missed")
    assert (await center.client.chat(chat_id))["status"] == "assigned", "he may come back within orphan_minutes"
    await center.ready("care-2")
    await center.as_if_minutes_ago(chat_id, "care-1", 6)
    await center.shows(chat_id, status="queued", agent_info=None)
    await center.does("care-2", chat_id, "accept")
    assert (await center.answers("care-2", chat_id, "I am.")).status == 200
    assert (await center.screen(phone, 2))[1] == "I am."
    assert ("note", "The agent is away: others are asked.") in await center.said(chat_id)


async def test_pictures_go_both_ways_and_their_links_expire(center: Center) -> None:
    phone, file = center.phone(), samples.png_with_place()
    await center.write(phone, "Look", PICTURES, media=[base64.b64encode(file).decode()])
    chat = await center.chat_of(phone, status="queued")

    async def shown() -> list[dict[str, Any]]:
        return list(await center.call("GET", f"/chats/{chat['id']}/photos"))

    (photo,) = await until(shown, LIMIT, "the picture is shown")
    async with center.client.http.get(photo["url"]) as answer:
        assert answer.headers["Content-Type"] == "image/png"
        assert samples.PLACE not in await answer.read(), "where it was made is nobody's business"
    async with center.client.http.get(await center.as_eight_days_old(photo["url"])) as answer:
        assert answer.status == 410

    upload = {"files": [{"content": base64.b64encode(samples.jpeg()).decode()}]}
    (uploaded,) = await center.call("POST", f"/chats/{chat['id']}/photos", json=upload)
    await center.ready("pictures-1")
    await center.does("pictures-1", chat["id"], "accept")
    sent = await center.answers("pictures-1", chat["id"], "Like this?", media_ids=[uploaded["media_id"]])
    assert sent.status == 200
    await center.screen(phone, 2)
    text = (await center.handsets.texts(phone))[1]
    assert (text["body"], len(text["media"])) == ("Like this?", 1)
    photos = (await center.client.chat(chat["id"]))["photos"]
    assert [photo["photo_type"] for photo in photos] == ["end_user", "agent"]


async def test_a_code_that_comes_back_verifies_the_consumer(center: Center) -> None:
    phone = center.phone()
    chat_id = (await center.with_agent(phone, "ALONE", "alone-1"))["id"]
    await center.call("POST", f"/chats/{chat_id}/verification")
    text = (await center.screen(phone, 2))[1]
    code = re.fullmatch(r"Acme: your code is (\d{6})\. .*", text)
    assert code
    await center.write(phone, "000 000" if code[1] != "000000" else "111 111")

    async def counted() -> bool:
        return bool((await center.call("GET", f"/chats/{chat_id}/verification"))["tries_left"] == 4)

    await until(counted, LIMIT, "a wrong code counts")
    assert not (await center.client.chat(chat_id))["verified"]
    await center.write(phone, f"It says {code[1]}")
    await center.shows(chat_id, verified=True)
    assert (await center.said(chat_id))[-1] == ("note", "The consumer sent the code back: verified.")


async def test_a_ticket_is_linked_and_gets_the_transcript(center: Center) -> None:
    phone = center.phone()
    center.crm.contacts[phone] = "C-9"
    center.crm.tickets.add("T-9")
    sent = await center.send(phone, "About your ticket", ticket_id="T-9")
    assert (sent["out_ticket_id"], sent["end_user"]["out_contact_id"]) == (None, None)
    linked = await center.shows(sent["id"], out_ticket_id="T-9")
    assert linked["out_ticket_url"] == "https://crm.example.com/T-9"
    await center.screen(phone, 1)
    await center.write(phone, "What about it?")
    await center.screen(phone, 2)
    await center.call("PATCH", f"/chats/{sent['id']}", json={"chat": {"status": "finished"}})

    async def posted() -> list[dict[str, Any]]:
        return [one for one in center.crm.posted if one["chat_id"] == sent["id"]]

    (transcript,) = await until(posted, LIMIT, "the transcript is in the CRM")
    assert transcript["ticket_id"] == "T-9"
    assert "About your ticket" in transcript["transcript"]
    assert "What about it?" in transcript["transcript"]
    assert (await center.client.chat(sent["id"]))["end_user"]["out_contact_id"] == "C-9"


async def test_a_notice_opens_no_session_and_its_replies_need_nobody(center: Center) -> None:
    phone = center.phone()
    notice = {"end_user_number": phone, "outbound_number": OURS, "message": "Your order has left."}
    sent = await center.call("POST", "/notices", json=notice)
    await center.screen(phone, 1)
    await center.write(phone, "When will it be here?")
    assert await center.screen(phone, 2) == ["Your order has left.", UNREAD]
    reply = await center.chat_of(phone, status="finished", chat_type="Messaging Inbound (SMS Sessionless)")
    assert reply["id"] != sent["chat_id"]
    assert (await center.send(phone, "Your order is here."))["status"] == "selecting", "no session was in the way"


async def test_a_text_that_another_program_hands_over(center: Center) -> None:
    phone = center.phone()
    text = {"from": phone, "to": OURS, "id": "theirs-1", "body": "BILL"}
    taken = await center.call("POST", "/inbound", json=text)
    chat = await center.client.chat(taken["chat_id"])
    assert (chat["status"], chat["menu_path"]["name"]) == ("queued", "Support/Billing")
    assert await center.call("POST", "/inbound", json=text) == {"message": "accepted", "chat_id": None}
    said = await center.said(chat["id"])
    assert said.count(("end_user", "BILL")) == 1
    assert await center.screen(phone, 1) == [GREETING]


async def test_what_is_to_sell_waits_for_the_morning_and_what_is_owed_does_not(center: Center) -> None:
    now = datetime.now(UTC)
    night = next(zone for zone in ZONES if not 5 <= now.astimezone(zone).hour < 23)
    day = next(zone for zone in ZONES if 10 <= now.astimezone(zone).hour < 18)
    sleeper, other = center.phone(), center.phone()
    notice = {"outbound_number": OURS, "message": "Sale ends Sunday.", "category": "marketing"}
    asleep = {**notice, "end_user_number": sleeper, "end_user_time_zone": night.key}
    held = await center.call("POST", "/notices", json=asleep)
    assert datetime.fromisoformat(held["due_at"]).astimezone(night).strftime("%H:%M") == "08:00"
    awake = {**notice, "end_user_number": other, "end_user_time_zone": day.key}
    at_once = await center.call("POST", "/notices", json=awake)
    assert at_once["due_at"] == at_once["created_at"]
    assert await center.screen(other, 1) == ["Sale ends Sunday."]
    await center.call("POST", "/notices", json={**asleep, "message": "Your order has left.", "category": None})
    assert await center.screen(sleeper, 1) == ["Your order has left."]


async def test_of_two_agents_who_accept_at_once_one_gets_the_chat(center: Center) -> None:
    phone = center.phone()
    await center.ready("all-1", "all-2")
    await center.write(phone, "ALL")
    chat = await center.chat_of(phone, offer_type="multicast")
    both = await asyncio.gather(*(center.tries(agent, chat["id"], "accept") for agent in ("all-1", "all-2")))
    first, second = sorted(both, key=lambda answer: answer.status)
    assert (first.status, second.status) == (200, 409)
    assert second.json["message"] == "Chat was taken by another agent."
    agents = [part for part in first.json["participants"] if part["type"] == "agent"]
    assert [part["user_id"] for part in agents] == [first.json["agent_info"]["id"]]


# Bad input


async def test_who_is_not_understood_three_times_gets_a_person(center: Center) -> None:
    phone, chat_id = await in_the_menu(center)
    for tries, words in enumerate(("7", "1 2", "😀"), 2):
        await center.write(phone, words)
        assert (await center.screen(phone, tries))[-1] == NOT_UNDERSTOOD
    await center.write(phone, "BACK 1")
    waits = await center.shows(chat_id, status="queued")
    assert waits["menu_path"]["name"] == "Support/Orders", "the setting's default_queue"
    assert (await center.screen(phone, 5))[-1] == ORDERS
    assert [body for sender, body in await center.said(chat_id) if sender == "end_user"] == [
        "Hello?", "7", "1 2", "😀", "BACK 1",
    ]  # fmt: skip


@pytest.mark.parametrize("words", ["STOP HELP", "stop 1", "Exit stop"])
async def test_stop_beside_another_command_asks_a_person(center: Center, words: str) -> None:
    phone, chat_id = await in_the_menu(center)
    await center.write(phone, words)
    assert (await center.screen(phone, 2))[1] == NOT_UNDERSTOOD
    (hold,) = [
        one for one in await center.call("GET", "/consent_holds", params={"per": "1000"}) if one["chat_id"] == chat_id
    ]
    assert (hold["words"], hold["reason"]) == (words, "STOP beside another command")


async def test_a_figure_as_an_emoji_chooses(center: Center) -> None:
    phone, chat_id = await in_the_menu(center)
    await center.write(phone, "2️⃣")
    assert (await center.shows(chat_id, status="queued"))["menu_path"]["name"] == "Support/Orders"


async def test_an_empty_reply_is_kept_and_not_understood(center: Center) -> None:
    phone, chat_id = await in_the_menu(center, OVER_HTTP)
    empty = {"kind": "inbound", "proof": "right", "source": phone, "to": OVER_HTTP, "body": ""}
    assert (await center.handsets.call("POST", "/vendors/twilio/forge", json=empty))["answers"] == [200]
    assert (await center.screen(phone, 2))[1] == NOT_UNDERSTOOD
    assert ("end_user", "") in await center.said(chat_id)


async def test_a_reply_of_ten_parts_arrives_whole(center: Center) -> None:
    phone, chat_id = await in_the_menu(center)
    story = " ".join(f"{number} is not my number." for number in range(1, 69))
    await center.write(phone, story)
    assert (await center.screen(phone, 2))[1] == NOT_UNDERSTOOD
    (message,) = [one for one in await center.client.messages(chat_id) if one["content"] == story]
    assert message["segments"] == 10


async def test_an_agent_who_is_disabled_in_the_midst_of_a_chat(center: Center) -> None:
    phone = center.phone()
    chat_id = (await center.with_agent(phone, "OLD", "old-1"))["id"]
    await center.apply(agents=[{"email": "old-1@foo.com", "disabled": True}])
    await center.shows(chat_id, status="queued", agent_info=None)
    refused = await center.answers("old-1", chat_id, "Me again")
    assert (refused.status, refused.json["message"]) == (400, "agent is not found")
    await center.ready("old-2")
    assert (await center.does("old-2", chat_id, "accept"))["agent_info"]["email"] == "old-2@foo.com"
    await center.finishes("old-2", chat_id)


async def test_a_queue_that_is_deleted_with_chats_in_it(center: Center) -> None:
    waits, speaks = center.phone(), center.phone()
    spoken = (await center.with_agent(speaks, "OLD", "old-2"))["id"]
    await center.call("PUT", f"/agents/{center.agents['old-2']}/status", json={"status": "break"})
    await center.write(waits, "OLD")
    waiting = (await center.chat_of(waits, status="queued"))["id"]
    with pytest.raises(Problem, match="queue Old has 2 open chats"):
        await center.apply(queues=[{"name": "Old", "deleted": True}])
    await center.apply(queues=[{"name": "Old", "deleted": True, "move_chats_to": "Alone"}])
    moved = [await center.client.chat(chat_id) for chat_id in (waiting, spoken)]
    assert [(chat["status"], chat["menu_path"]["name"]) for chat in moved] == [
        ("queued", "Alone"),
        ("assigned", "Alone"),
    ]
    assert moved[1]["agent_info"]["email"] == "old-2@foo.com", "who has an agent keeps him"
    assert (await center.answers("old-2", spoken, "Still here.")).status == 200
