"""Zendesk's API as its documentation has it: what is found, and that a second attempt writes nothing twice."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from aiohttp import web

from smsdesk.crm.contract import Consumer, Contact, Ticket, Transcript
from smsdesk.crm.http import Refused, Unavailable
from smsdesk.crm.zendesk import LONGEST_COMMENT, Config, Zendesk
from tests.crm.serving import CHAT, KEY, NOW, PHONE, listening, visiting
from tests.crm.zendesk_account import EMAIL, TOKEN, Account, account_app

TOLD = Transcript("12:00 Consumer: where is my order?", {"chat_id": 7, "status": "finished"})


@dataclass
class Desk:
    """An account, and our side of it."""

    account: Account
    crm: Zendesk
    url: str

    def ticket(self, ticket_id: int) -> Ticket:
        return Ticket(str(ticket_id), f"{self.url}/agent/tickets/{ticket_id}")


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    account = Account()
    async with listening(account_app(account)) as url, visiting() as visit:
        yield Desk(account, Zendesk(Config(base_url=url, email=EMAIL, api_token=TOKEN), visit), url)


async def test_a_consumer_is_found_by_what_the_tenant_calls_him_before_his_phone(desk: Desk) -> None:
    desk.account.add_user(phone=PHONE)
    theirs = desk.account.add_user(external_id="cust/7 & co")
    assert await desk.crm.find_contact(Consumer(PHONE, "cust/7 & co")) == Contact(str(theirs))


@pytest.mark.parametrize("written", ["+14155550100", "+1 (415) 555-0100", "415.555.0100", "(415) 555 0100"])
async def test_a_phone_number_is_found_however_it_was_typed_into_zendesk(desk: Desk, written: str) -> None:
    user = desk.account.add_user(phone=written)
    assert await desk.crm.find_contact(Consumer(PHONE, None)) == Contact(str(user))


async def test_a_longer_number_and_an_agent_are_not_the_consumer(desk: Desk) -> None:
    desk.account.add_user(phone="+44 1 415 555 0100")
    desk.account.add_user(phone=PHONE, role="agent")
    assert await desk.crm.find_contact(Consumer(PHONE, None)) is None


async def test_of_two_with_one_number_it_is_who_was_there_first(desk: Desk) -> None:
    first = desk.account.add_user(phone=PHONE)
    desk.account.add_user(phone="415-555-0100")
    desk.account.users.reverse()
    assert await desk.crm.find_contact(Consumer(PHONE, None)) == Contact(str(first))


async def test_a_contact_is_made_once_though_the_search_lags(desk: Desk) -> None:
    made = [await desk.crm.create_contact(Consumer(PHONE, None)) for _ in range(2)]
    assert made[0] == made[1]
    assert [(user["phone"], user["role"]) for user in desk.account.users] == [(PHONE, "end-user")]


async def test_the_ticket_that_a_send_named_is_linked(desk: Desk) -> None:
    ticket_id = desk.account.add_ticket()
    assert await desk.crm.link_ticket(str(ticket_id)) == desk.ticket(ticket_id)
    assert await desk.crm.link_ticket("4711") is None
    asked = len(desk.account.calls)
    assert await desk.crm.link_ticket("5006x00000XXxxxXXX") is None
    assert len(desk.account.calls) == asked, "no id of Zendesk's: there is nothing to ask"


async def test_the_open_ticket_is_the_one_worked_on_last(desk: Desk) -> None:
    user = desk.account.add_user(phone=PHONE)
    desk.account.add_ticket(requester_id=user, status="open", updated_at=NOW - timedelta(days=2))
    wanted = desk.account.add_ticket(requester_id=user, status="pending", updated_at=NOW - timedelta(days=1))
    desk.account.add_ticket(requester_id=user, status="solved", updated_at=NOW)
    desk.account.add_ticket(requester_id=user + 1, status="open", updated_at=NOW)
    assert await desk.crm.find_open_ticket(Contact(str(user))) == desk.ticket(wanted)
    assert await desk.crm.find_open_ticket(Contact("99")) is None


async def test_a_ticket_is_made_once_for_a_chat(desk: Desk) -> None:
    user = desk.account.add_user(phone=PHONE)
    made = await desk.crm.create_ticket(CHAT, Contact(str(user)))
    desk.account.forget_keys()
    assert await desk.crm.create_ticket(CHAT, Contact(str(user))) == made
    (ticket,) = desk.account.tickets
    assert (ticket["requester_id"], ticket["external_id"], ticket["tags"]) == (user, CHAT.reference, ["sms"])
    assert "Support/Billing" in desk.account.notes(ticket["id"])[0], "the opening is for agents, not for the consumer"


async def test_the_key_stands_in_where_the_list_does_not_have_the_ticket_yet(desk: Desk) -> None:
    desk.account.list_by_external_id = False
    made = await desk.crm.create_ticket(CHAT, None)
    assert await desk.crm.create_ticket(CHAT, None) == made
    with pytest.raises(Unavailable, match="earlier attempt"):
        await desk.crm.create_ticket(CHAT, Contact("1000"))
    assert len(desk.account.tickets) == 1


async def test_a_transcript_is_an_internal_note_and_posted_once(desk: Desk) -> None:
    ticket_id = desk.account.add_ticket()
    for _ in range(2):
        await desk.crm.post_transcript(desk.ticket(ticket_id), CHAT, TOLD)
    (note,) = desk.account.notes(ticket_id)
    assert note.startswith(TOLD.text)
    assert desk.account.comments[ticket_id][0]["metadata"] == TOLD.metadata


async def test_an_earlier_attempt_is_found_behind_a_hundred_comments(desk: Desk) -> None:
    ticket_id = desk.account.add_ticket()
    desk.account.add_comment(ticket_id, f"{TOLD.text}\n\n{KEY}", public=False)
    for minute in range(1, 131):
        desk.account.add_comment(ticket_id, "more", public=True, at=NOW + timedelta(minutes=minute))
    await desk.crm.post_transcript(desk.ticket(ticket_id), CHAT, TOLD)
    assert len(desk.account.notes(ticket_id)) == 1


async def test_a_consumer_cannot_keep_a_transcript_out_by_naming_it(desk: Desk) -> None:
    ticket_id = desk.account.add_ticket()
    desk.account.add_comment(ticket_id, f"ha: {KEY}", public=True)
    await desk.crm.post_transcript(desk.ticket(ticket_id), CHAT, TOLD)
    assert len(desk.account.notes(ticket_id)) == 1


async def test_a_long_transcript_is_attached_whole(desk: Desk) -> None:
    ticket_id = desk.account.add_ticket()
    long = Transcript("é" * LONGEST_COMMENT, {"chat_id": 7, "much": "x" * 2000})
    await desk.crm.post_transcript(desk.ticket(ticket_id), CHAT, long)
    assert list(desk.account.uploads.values()) == [long.text]
    assert desk.account.comments[ticket_id][0]["metadata"] == {"chat_id": 7}
    await desk.crm.post_transcript(desk.ticket(ticket_id), CHAT, long)
    assert len(desk.account.notes(ticket_id)) == 1


async def test_a_ticket_that_is_gone_or_closed_says_so(desk: Desk) -> None:
    with pytest.raises(Refused, match="no ticket 4711"):
        await desk.crm.post_transcript(desk.ticket(4711), CHAT, TOLD)
    closed = desk.account.add_ticket(status="closed")
    with pytest.raises(Refused, match="closed prevents ticket update"):
        await desk.crm.post_transcript(desk.ticket(closed), CHAT, TOLD)


async def test_zendesk_asks_for_patience(desk: Desk) -> None:
    desk.account.refuse["GET /tickets/35"] = web.Response(status=429, headers={"Retry-After": "93"})
    desk.account.add_ticket()
    with pytest.raises(Unavailable) as told:
        await desk.crm.link_ticket("35")
    assert told.value.retry_after == 93


async def test_a_wrong_token_is_the_account_s_matter_and_not_shown(desk: Desk) -> None:
    async with visiting() as visit:
        crm = Zendesk(Config(base_url=desk.url, email=EMAIL, api_token="guessed"), replace(visit))
        with pytest.raises(Unavailable, match="credentials") as told:
            await crm.link_ticket("35")
    assert "guessed" not in str(told.value)
