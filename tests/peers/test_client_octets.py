"""What our SMPP client says and hears octet by octet, in conversation with two SMSCs that others wrote (R47)."""

from operator import attrgetter

import pytest

from smsdesk.carriers.contract import Accepted
from tests.carriers.smpp.rig import outbound
from tests.peers.client_cases import (
    ANSWERED,
    REFERENCE,
    REPORTED,
    SENT,
    TEXT_ID,
    TYPED,
    Answered,
    Reported,
    Sent,
    Typed,
)  # fmt: skip
from tests.peers.talk import Talks

name = attrgetter("name")


@pytest.mark.parametrize("case", SENT, ids=name)
async def test_a_text_arrives_whole(talks: Talks, case: Sent) -> None:
    async with talks(**case.settings) as talk:
        await talk.running.bound()
        talk.running.carrier.send([outbound(TEXT_ID, case.body, case.source)])
        submits = [await talk.smsc.submitted() for _ in case.parts]
        seen = sorted((submit.short_message, sorted(submit.tlvs.items())) for submit in submits)
        assert seen == sorted((octets, sorted((REFERENCE | tlvs).items())) for octets, tlvs in case.parts)
        fields = {
            "source_addr_ton": 1, "source_addr_npi": 1, "source_addr": "16285550199", "dest_addr_ton": 1,
            "dest_addr_npi": 1, "destination_addr": "14155550100", "service_type": "", "esm_class": 0, "protocol_id": 0,
            "registered_delivery": 1, "data_coding": 0,
        }  # fmt: skip
        for submit in submits:
            assert {name: getattr(submit, name) for name in fields} == fields | case.fields
            submit.accept("m1")
        parts = len(outbound(1, case.body).segments.parts)
        assert await talk.ledger.outcome_of(TEXT_ID) == Accepted(("m1",) * parts)


@pytest.mark.parametrize("case", ANSWERED, ids=name)
async def test_an_answer_is_understood(talks: Talks, case: Answered) -> None:
    body = "a" if len(case.answers) == 1 else "a" * (153 * len(case.answers) - 1)
    async with talks(**case.settings) as talk:
        await talk.running.bound()
        talk.running.carrier.send([outbound(TEXT_ID, body)])
        submits = [await talk.smsc.submitted() for _ in case.answers]
        submits.sort(key=lambda submit: submit.short_message[:6])
        for submit, answer in zip(submits, case.answers, strict=True):
            submit.accept(answer) if isinstance(answer, str) else submit.reject(answer)
        assert await talk.ledger.outcome_of(TEXT_ID) == case.outcome


@pytest.mark.parametrize("case", REPORTED, ids=name)
async def test_a_receipt_is_read_and_answered(talks: Talks, case: Reported) -> None:
    async with talks(**case.settings) as talk:
        await talk.smsc.until_bound(1)
        assert await talk.smsc.deliver(case.delivery) == 0
        (told,) = talk.ledger.receipts
        assert (told.part_id, told.state, told.reason) == case.says
        assert told.number == "+14155550100"
        assert talk.ledger.replies == []


@pytest.mark.parametrize("case", TYPED, ids=name)
async def test_a_reply_is_read_and_answered(talks: Talks, case: Typed) -> None:
    async with talks(**case.settings) as talk:
        await talk.smsc.until_bound(1)
        assert await talk.smsc.deliver(case.delivery) == 0
        (reply,) = talk.ledger.replies
        assert (reply.body, reply.encoding, reply.part) == (case.body, case.encoding, case.part)
        assert (reply.source, reply.destination) == ("+14155550100", "+16285550199")
        assert talk.ledger.receipts == []
