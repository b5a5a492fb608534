"""What query_sm settles of a doubtful text, and what it cannot."""

import asyncio
from datetime import UTC, datetime

import pytest

from smsdesk.carriers.contract import Doubt, Found, Receipt, Unknown
from smsdesk.carriers.smpp import pdu as smpp
from smsdesk.carriers.smpp.carrier import SmppCarrier
from smsdesk.carriers.smpp.status import Status

from .rig import config, outbound, talking

LONG = "a" * 400


def doubt(*part_ids: str | None, body: str = LONG) -> Doubt:
    return Doubt(outbound(1, body), part_ids, datetime(2026, 1, 1, tzinfo=UTC))


def receipt(name: str, state: str, reason: str | None, code: str, *, whole: bool = False) -> Receipt:
    return Receipt(name, state, reason, code, "+14155550100", whole=whole)


async def test_each_part_is_asked_for_by_its_name() -> None:
    async with talking() as (running, peer):
        asked = asyncio.ensure_future(running.carrier.look_up(doubt("a", "b", "c")))
        questions = await peer.read_many(smpp.QuerySm, 3)
        assert [question.message_id for question in questions] == ["a", "b", "c"]
        assert {(q.source_addr_ton, q.source_addr_npi, q.source_addr) for q in questions} == {(1, 1, "16285550199")}
        for question, (state, error) in zip(reversed(questions), [(1, 0), (5, 12), (2, 0)], strict=True):
            peer.send(smpp.QuerySmResp(question.sequence_number, 0, question.message_id, "", state, error))
        assert await asked == Found(
            ("a", "b", "c"),
            (
                receipt("a", "delivered", None, "query_sm stat:DELIVRD err:0"),
                receipt("b", "undelivered", "unreachable", "query_sm stat:UNDELIV err:12"),
                receipt("c", "sent", None, "query_sm stat:ENROUTE err:0"),
            ),
        )


async def test_one_name_for_all_parts_is_asked_for_once() -> None:
    async with talking(long_texts="payload") as (running, peer):
        asked = asyncio.ensure_future(running.carrier.look_up(doubt("a", "a", "a")))
        question = await peer.read(smpp.QuerySm)
        peer.send(smpp.QuerySmResp(question.sequence_number, 0, "a", "", 2))
        said = (receipt("a", "delivered", None, "query_sm stat:DELIVRD err:0", whole=True),)
        assert await asked == Found(("a", "a", "a"), said)


async def test_names_go_as_the_carrier_wrote_them() -> None:
    async with talking(response_id="hex") as (running, peer):
        asked = asyncio.ensure_future(running.carrier.look_up(doubt("1234", body="hello")))
        question = await peer.read(smpp.QuerySm)
        assert question.message_id == "4D2"
        peer.send(smpp.QuerySmResp(question.sequence_number, 0, "4D2", "", 2))
        assert isinstance(await asked, Found)


@pytest.mark.parametrize("part_ids", [(), (None, None, None), ("a", None, "c")])
async def test_what_was_never_named_cannot_be_asked_for(part_ids: tuple[str | None, ...]) -> None:
    async with talking() as (running, peer):
        answer = await running.carrier.look_up(doubt(*part_ids))
        assert isinstance(answer, Unknown)
        assert "query_sm asks by name only" in answer.detail
        await peer.nothing_comes(0.02)


async def test_a_refused_query_settles_nothing() -> None:
    async with talking() as (running, peer):
        for answer in (smpp.QuerySmResp(0, Status.RQUERYFAIL), smpp.GenericNack(0, Status.RINVCMDID)):
            asked = asyncio.ensure_future(running.carrier.look_up(doubt("a", body="hello")))
            question = await peer.read(smpp.QuerySm)
            peer.send(type(answer)(question.sequence_number, answer.command_status))
            assert (await asked) == Unknown(f"query_sm was refused: {_said(answer.command_status)}")


def _said(status: int) -> str:
    return f"ESME_{Status(status).name} (0x{status:08X})"


async def test_no_answer_is_not_waited_for_longer_than_any_other() -> None:
    async with talking(response_timeout=0.1) as (running, _):
        assert await running.carrier.look_up(doubt("a", body="hello")) == Unknown("no answer to query_sm in 0.1 s")


async def test_a_line_that_falls_meanwhile_settles_nothing() -> None:
    async with talking() as (running, peer):
        asked = asyncio.ensure_future(running.carrier.look_up(doubt("a", body="hello")))
        await peer.read(smpp.QuerySm)
        peer.drop()
        assert await asked == Unknown("the line went down before the answer to query_sm")


async def test_a_line_that_is_down_or_does_not_query_says_so() -> None:
    down = SmppCarrier(1, "upstream", config(2775))
    assert await down.look_up(doubt("a")) == Unknown("no line is bound that could ask")
    off = SmppCarrier(1, "upstream", config(2775, query=False))
    assert await off.look_up(doubt("a")) == Unknown("query_sm is switched off for this carrier")
