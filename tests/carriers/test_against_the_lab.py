"""Our lines to Vonage, Telnyx and Bandwidth against the lab's: either side was written from vendors' pages alone."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from smsdesk.carriers.contract import (
    Accepted,
    CallbackRequest,
    Doubt,
    Doubtful,
    Forged,
    Found,
    Receipt,
    Refused,
    Reply,
    Unknown,
)
from smsdesk.carriers.registry import CARRIERS
from smsdesk.domain.reply import join_parts
from smsdesk.domain.segments import segment
from tests.carriers.http.kit import OURS, PHONE, Line, line, outbound, settings
from tests.kit.lab import Handsets, handsets_of
from tests.lab.process import LabProcess
from tests.lab.vendors.customer import LONG, Customer

SECRET = "s" * 32
TEXT_ID = 65543
ACCOUNTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "vonage": ({"signature_secret": SECRET}, {"signature_secret": SECRET}),
    "telnyx": ({"key_seed": SECRET}, {}),
    "bandwidth": (
        {"callback_user": "smsdesk", "callback_password": SECRET},
        {"callback_user": "smsdesk", "callback_password": SECRET, "account_id": "5500123"},
    ),
}
"""Of each vendor: what its account is set to, and the settings of our line to it."""
KINDS = pytest.mark.parametrize("kind", ACCOUNTS)


@pytest.fixture(scope="module")
def process() -> Iterator[LabProcess]:
    with LabProcess() as running:
        yield running


@dataclass
class Scene:
    """A line to a vendor of the lab, and what the vendor posts to us."""

    kind: str
    config: Any
    running: Line
    handsets: Handsets
    customer: Customer

    async def facts(self) -> tuple[Receipt | Reply, ...]:
        """What the next callback says; raises Forged."""
        got = await self.customer.next()
        headers = {name.lower(): value for name, value in got.headers.items()}
        request = CallbackRequest(got.method, "", urlsplit(got.url).query, headers, got.body)
        read = CARRIERS[self.kind].callback
        assert read is not None
        return read(self.config, request, datetime.now(UTC)).facts

    async def ended(self, parts: int = 1) -> list[Receipt]:
        """The receipts with which all parts of a text have ended."""
        receipts: list[Receipt] = []
        while sum(parts if receipt.whole else 1 for receipt in receipts) < parts:
            told = [fact for fact in await self.facts() if isinstance(fact, Receipt)]
            receipts += [receipt for receipt in told if receipt.state != "sent"]
        return receipts

    async def forge(self, **forgery: Any) -> None:
        await self.handsets.call("POST", f"/vendors/{self.kind}/forge", json=forgery)


@asynccontextmanager
async def scene(kind: str, process: LabProcess, account: Any = None) -> AsyncIterator[Scene]:
    theirs, ours = ACCOUNTS[kind]
    base_url = f"http://127.0.0.1:{process.http_port}/vendors/{kind}"
    async with handsets_of(process) as handsets, Customer().listening() as customer:
        address = customer.url("/callbacks/acme/upstream")
        urls = {"inbound_url": address, "status_url": address}
        await handsets.call("PUT", f"/vendors/{kind}/account", json=theirs | urls | (account or {}))
        if kind == "telnyx":
            ours = {"public_key": (await handsets.call("GET", "/vendors/telnyx/public_key"))["public_key"]}
        config = settings(kind, base_url=base_url, callback_url=address, **ours)
        async with line(kind, base_url, callback_url=address, **ours) as running:
            yield Scene(kind, config, running, handsets, customer)


@KINDS
@pytest.mark.parametrize("body", ["hello", "héllo & = ☎ 😀", LONG], ids=["one part", "UCS-2", "long"])
async def test_a_text_arrives_and_its_receipts_come_back(kind: str, body: str, process: LabProcess) -> None:
    async with scene(kind, process) as at:
        at.running.carrier.send([outbound(TEXT_ID, body)])
        accepted = await at.running.ledger.outcome_of(TEXT_ID)
        assert isinstance(accepted, Accepted)
        parts = segment(body).parts
        assert len(accepted.part_ids) == len(parts)
        receipts = await at.ended(len(parts))
        assert {receipt.part_id for receipt in receipts} == set(accepted.part_ids)
        assert {(one.state, one.reason, one.number, one.reference) for one in receipts} == {
            ("delivered", None, PHONE, TEXT_ID & 0xFFFF)
        }
        (arrived,) = await at.handsets.texts(PHONE)
        assert (arrived["body"], arrived["source"]) == (body, OURS)


@KINDS
@pytest.mark.parametrize("body", ["Yes & no = maybe ☎", LONG], ids=["one part", "long"])
async def test_a_reply_comes_in(kind: str, body: str, process: LabProcess) -> None:
    async with scene(kind, process) as at:
        at.running.carrier.send([outbound(TEXT_ID)])  # the number is now this vendor's
        await at.ended()
        await at.handsets.reply(PHONE, body)
        parts: dict[int, tuple[str, str, bytes]] = {}
        total = 1
        while len(parts) < total:
            (reply,) = await at.facts()
            assert isinstance(reply, Reply)
            assert (reply.source, reply.destination) == (PHONE, OURS)
            assert reply.carrier_reference
            _, number, total = reply.part or (0, 1, 1)
            parts[number] = (reply.body, reply.encoding, reply.payload)
        assert join_parts(parts, total)[0] == body


@KINDS
async def test_an_undelivered_text_says_why(kind: str, process: LabProcess) -> None:
    async with scene(kind, process) as at:
        at.running.carrier.send([outbound(TEXT_ID, "hello #undeliv:012")])
        (receipt,) = await at.ended()
        assert receipt.state in ("undelivered", "failed")
        assert receipt.reason


@KINDS
async def test_a_lost_answer_is_doubtful_and_the_receipt_names_the_text(kind: str, process: LabProcess) -> None:
    async with scene(kind, process) as at:
        await at.handsets.faults(lose_answer=1.0)
        text = outbound(TEXT_ID, "hello")
        sent_at = datetime.now(UTC)
        at.running.carrier.send([text])
        assert isinstance(await at.running.ledger.outcome_of(TEXT_ID), Doubtful)
        await at.handsets.faults()
        (receipt,) = await at.ended()
        assert (receipt.state, receipt.number, receipt.reference) == ("delivered", PHONE, TEXT_ID & 0xFFFF)
        asked = await at.running.carrier.look_up(Doubt(text, (None,), sent_at))
        if kind == "bandwidth":
            assert isinstance(asked, Found)
            assert asked.part_ids == (receipt.part_id,)
        else:
            assert isinstance(asked, Unknown)


@KINDS
async def test_a_throttle_rests_the_line(kind: str, process: LabProcess) -> None:
    async with scene(kind, process) as at:
        at.running.carrier.send([outbound(TEXT_ID, "hello #throttle")])
        refused = await at.running.ledger.outcome_of(TEXT_ID)
        assert isinstance(refused, Refused)
        assert refused.reason == "queue_full"
        assert at.running.carrier.room() == 0


@KINDS
async def test_forged_callbacks_are_refused(kind: str, process: LabProcess) -> None:
    proofs = ["wrong", "missing"] if kind == "bandwidth" else ["wrong", "missing", "old"]  # a password has no age
    async with scene(kind, process) as at:
        at.running.carrier.send([outbound(TEXT_ID)])
        await at.ended()
        for told in ("status", "inbound"):
            for proof in proofs:
                await at.forge(kind=told, proof=proof)
                with pytest.raises(Forged):
                    await at.facts()
            await at.forge(kind=told, proof="right")
            assert await at.facts()


@pytest.mark.parametrize(
    ("method", "written"),
    [("md5hash", "GET"), ("md5", "POST"), ("sha1", "POST-JSON"), ("sha256", "GET"), ("sha512", "POST")],
)
async def test_vonage_signs_in_other_ways(method: str, written: str, process: LabProcess) -> None:
    async with scene("vonage", process, {"signature": method, "http_method": written}) as at:
        at.config = settings("vonage", signature_secret=SECRET, signature_method=method)
        at.running.carrier.send([outbound(TEXT_ID)])
        assert [receipt.state for receipt in await at.ended()] == ["delivered"]
        await at.handsets.reply(PHONE, "Yes & no = maybe ☎")
        (reply,) = await at.facts()
        assert isinstance(reply, Reply)
        assert reply.body == "Yes & no = maybe ☎"
