"""What all vendors share: faults on the HTTP side, callbacks and their tries, replies, forgeries, accounts."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.lab.vendors.customer import HANDSET, LONG, NUMBER, PATIENCE, Stage, staged


async def test_a_lost_answer_is_a_cut_connection_and_the_text_is_there(stage: Stage) -> None:
    for word in ("#lose", "#drop", "#reset"):
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await stage.text(word)
        assert [c.json["status"] for c in await stage.customer.take(2)] == ["sent", "delivered"], word
    assert await stage.rig.bodies(HANDSET) == ["#lose", "#drop", "#reset"]
    found = await stage.ask("generic", "GET", "messages", headers={"authorization": "Bearer t"})
    assert [m["status"] for m in found.json()["messages"]] == ["delivered"] * 3


async def test_what_vanished_is_nowhere(stage: Stage) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await stage.text("#vanish")
    assert await stage.rig.texts(HANDSET) == []
    found = await stage.ask("generic", "GET", "messages", headers={"authorization": "Bearer t"})
    assert found.json()["messages"] == []
    assert stage.customer.seen == []


async def test_half_an_answer_and_garbage(stage: Stage) -> None:
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        await stage.text("#half")
    answer = await stage.text("#garbage")
    assert answer.status_code == 200
    with pytest.raises(UnicodeDecodeError):
        answer.json()
    assert await stage.rig.bodies(HANDSET) == ["#half", "#garbage"]


async def test_hanging_lasts_until_the_customer_leaves(stage: Stage) -> None:
    await stage.rig.faults(hang=True)
    with pytest.raises(httpx.ReadTimeout):
        await stage.ask(
            "generic", "POST", "messages", json={"from": NUMBER, "to": HANDSET, "text": "b"},
            headers={"authorization": "Bearer t"}, timeout=0.3,
        )  # fmt: skip
    await stage.rig.faults()
    assert (await stage.text("after")).status_code == 202
    assert await stage.rig.bodies(HANDSET) == ["after"]


async def test_slow_answers(stage: Stage) -> None:
    began = asyncio.get_running_loop().time()
    assert (await stage.text("#slow:0.3")).status_code == 202
    assert asyncio.get_running_loop().time() - began >= 0.3


async def test_a_receipt_before_the_answer(stage: Stage) -> None:
    stage.customer.answers.extend([204, 204])
    request = asyncio.create_task(stage.text("#early #slow:5"))
    assert [c.json["status"] for c in await stage.customer.take(2)] == ["sent", "delivered"]
    assert not request.done()
    request.cancel()


async def test_receipts_twice_none_late_and_of_the_unknown(stage: Stage) -> None:
    await stage.text("#twice")
    assert [c.json["status"] for c in await stage.customer.take(3)] == ["sent", "delivered", "delivered"]
    known = (await stage.text("#unknownid")).json()["id"]
    sent, delivered = await stage.customer.take(2)
    assert (sent.json["id"], delivered.json["id"] != known) == (known, True)
    await stage.text("#interim")
    assert [c.json["status"] for c in await stage.customer.take(3)] == ["sent", "sent", "delivered"]
    await stage.text("#noreceipt")
    await stage.text("#late:0.2")
    assert [c.json["status"] for c in await stage.customer.take(3)] == ["sent", "sent", "delivered"]


async def test_faults_for_all(stage: Stage) -> None:
    await stage.rig.faults(throttle_above=1)
    statuses = [(await stage.text(f"{n}")).status_code for n in range(6)]
    assert {202, 429} == set(statuses)
    await stage.rig.faults(undeliver=1, undeliver_stat="EXPIRED")
    await stage.text("gone", callback_url=stage.customer.url("/gone"))
    async with asyncio.timeout(PATIENCE):
        while (callback := await stage.customer.next()).json["status"] != "expired":
            assert callback.json["status"] in ("sent", "delivered")


async def test_callbacks_come_again_until_they_are_taken(stage: Stage) -> None:
    stage.customer.answers.extend([500, 302, 404])
    await stage.text("#noreceipt")
    tries = await stage.customer.take(4)
    assert len({t.body for t in tries}) == 1
    counts = await stage.counts("generic")
    assert (counts["callbacks"], counts["repeats"], counts["given_up"]) == (1, 3, 0)


async def test_an_answer_that_the_lab_takes_for_lost(stage: Stage) -> None:
    await stage.rig.faults(lose_deliver_answer=1)
    await stage.text("#noreceipt")
    assert {c.json["status"] for c in await stage.customer.take(6)} == {"sent"}


async def test_callbacks_go_to_this_machine_only() -> None:
    async with staged() as stage:
        await stage.text(callback_url="http://callbacks.example/status")
        await stage.text(callback_url="ftp://127.0.0.1/")
        await stage.text()
        await stage.customer.take(2)
        counts = await stage.counts("generic")
        assert (counts["blocked"], counts["problem"]) == (4, "it is not an http address")
        refused = await stage.rig.http.put(
            "/vendors/generic/account", json={"inbound_url": "http://callbacks.example/"}
        )
        assert refused.status_code == 400
        assert "start the lab with --allow-host callbacks.example" in refused.json()["message"]
    async with staged(allow_hosts=("callbacks.example",)) as stage:
        await stage.account("generic", inbound_url="http://callbacks.example/")


async def test_replies_wait_for_an_address(stage: Stage) -> None:
    await stage.text("#noreceipt")
    await stage.customer.next()
    await stage.rig.type("first", NUMBER, HANDSET)
    await stage.reply_is("waiting")
    await stage.account("generic", inbound_url=stage.customer.url("/in"))
    assert (await stage.customer.next()).json["text"] == "first"
    await stage.reply_is("answered")
    await stage.rig.type("#twice", NUMBER, HANDSET)
    first, again = await stage.customer.take(2)
    assert first.json["id"] == again.json["id"]
    await stage.reply_is("answered")


async def test_replies_go_to_who_last_sent_from_the_number(stage: Stage) -> None:
    for vendor in ("generic", "bandwidth"):
        await stage.account(vendor, inbound_url=stage.customer.url(f"/{vendor}"))
    await stage.text("#noreceipt")
    await stage.rig.type("1", NUMBER, HANDSET)
    data = {"from": NUMBER, "to": HANDSET, "text": "b", "applicationId": "a"}
    await stage.ask("bandwidth", "POST", "api/v2/users/1/messages", json=data, auth=("t", "s"))
    await stage.rig.type("2", NUMBER, HANDSET)
    await stage.account("telnyx", inbound_url=stage.customer.url("/telnyx"), numbers=["+1 628 555 0199"])
    await stage.rig.type("3", NUMBER, HANDSET)
    paths = [httpx.URL(received.url).path for received in await stage.customer.take(4)]
    assert [path for path in paths if path != "/status"] == ["/generic", "/bandwidth", "/telnyx"]


@pytest.mark.parametrize("kind", ["status", "inbound"])
async def test_forgeries_are_wrong_in_the_way_that_was_asked_for(stage: Stage, kind: str) -> None:
    url = stage.customer.url("/forged")
    await stage.account("generic", secret_key="key", inbound_url=url, status_url=url)
    await stage.text("#noreceipt", callback_url="")
    await stage.customer.next()
    stage.customer.answers.extend([204, 403, 403, 403])
    answers = [
        (await stage.forge("generic", kind=kind, proof=proof)).json()["answers"]
        for proof in ("right", "wrong", "missing", "old")
    ]
    assert answers == [[204], [403], [403], [403]]
    right, wrong, missing, old = await stage.customer.take(4)
    assert right.headers["x-signature"] != wrong.headers["x-signature"]
    assert "x-signature" not in missing.headers
    assert int(right.headers["x-timestamp"]) - int(old.headers["x-timestamp"]) >= 3599


async def test_copies_at_once_and_states_out_of_order(stage: Stage) -> None:
    message = (await stage.text("#noreceipt")).json()["id"]
    await stage.customer.next()
    await stage.forge("generic", proof="right", state="delivered", message_id=message)
    await stage.forge("generic", proof="right", state="sent", message_id=message)
    assert [c.json["status"] for c in await stage.customer.take(2)] == ["delivered", "sent"]
    stage.customer.answers.extend([0] * 5)
    copies = asyncio.create_task(stage.forge("generic", proof="right", times=5))
    bodies = {c.body for c in await stage.customer.take(5)}
    assert (len(bodies), copies.done()) == (1, False)
    stage.customer.release.set()
    assert (await copies).json()["answers"] == [204] * 5


@pytest.mark.parametrize(
    ("vendor", "forgery", "message"),
    [
        ("generic", {}, "there is no such text"),
        ("generic", {"kind": "inbound"}, "there is no address"),
        ("generic", {"kind": "inbound", "url": "http://callbacks.example/"}, "callbacks.example is not this machine"),
        ("kannel", {"kind": "inbound", "url": "http://127.0.0.1/"}, "kannel proves nothing that could be forged"),
        ("generic", {"state": "lost"}, "state: Invalid enum value 'lost'"),
    ],
)
async def test_forgeries_that_cannot_be(stage: Stage, vendor: str, forgery: dict[str, Any], message: str) -> None:
    answer = await stage.forge(vendor, **forgery)
    assert answer.status_code == 400
    assert message in answer.json()["message"]


async def test_accounts_say_what_is_wrong_with_them(stage: Stage) -> None:
    unknown = await stage.rig.http.put("/vendors/generic/account", json={"tokken": "x"})
    assert (unknown.status_code, "generic: Object contains unknown field `tokken`" in unknown.text) == (400, True)
    nobody = await stage.rig.http.put("/vendors/nobody/account", json={})
    assert (nobody.status_code, "choose among twilio, vonage" in nobody.json()["message"]) == (404, True)
    await stage.account("generic", token="hush", secret_key="hush", inbound_url=stage.customer.url("/"))
    assert "hush" not in (await stage.rig.http.get("/vendors")).text


async def test_accounts_from_the_configuration() -> None:
    async with staged(vendor_accounts={"generic": {"token": "t"}, "telnyx": {"numbers": [NUMBER]}}) as stage:
        assert (await stage.text()).status_code == 202
        assert (await stage.ask("generic", "GET", "messages", headers={"authorization": "Bearer x"})).status_code == 401
    for accounts in ({"nobody": {}}, {"generic": {"tokken": "t"}}):
        with pytest.raises(ValueError, match=r"nobody|tokken"):
            async with staged(vendor_accounts=accounts):
                pass


async def test_the_last_texts_can_be_looked_up() -> None:
    async with staged(keep_texts=3) as stage:
        ids = [(await stage.text(f"{n}", to=f"+1415555010{n % 2}")).json()["id"] for n in range(5)]
        found = await stage.ask("generic", "GET", "messages", headers={"authorization": "Bearer t"})
        assert [m["id"] for m in found.json()["messages"]] == ids[:1:-1]
        even = await stage.ask(
            "generic", "GET", "messages", params={"to": "+14155550100"}, headers={"authorization": "Bearer t"}
        )
        assert [m["id"] for m in even.json()["messages"]] == [ids[4], ids[2]]


async def test_segments_and_counters(stage: Stage) -> None:
    await stage.text(LONG)
    await stage.text("#refuse")
    await stage.customer.take(2)
    segments = (await stage.rig.http.get("/segments")).text
    assert '"via":"generic","segments":2' in segments
    counts = await stage.counts("generic")
    assert (counts["texts"], counts["refused"], counts["callbacks"]) == (1, 1, 2)
    stats = await stage.rig.stats()
    assert (stats["submitted"], stats["accepted"], stats["refused"], stats["receipts"]) == (2, 1, 1, 2)
