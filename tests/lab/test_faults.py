"""Each fault on a real line, asked for by the text or set for all."""

import asyncio
import itertools
from typing import Any

import pytest

from lab.rig import HANDSET, Esme, Rig, running
from smsdesk.carriers.smpp.codec import PduError
from smsdesk.carriers.smpp.pdu import (
    BindTransceiver,
    DeliverSm,
    EnquireLink,
    QuerySm,
    QuerySmResp,
    SubmitSmResp,
    Tag,
    Unbind,
)


async def seen(esme: Esme, body: bytes) -> list[str]:
    """What one text caused on the line, in order, until the lab has worked through it."""
    esme.send(esme.submit_sm(body, registered_delivery=1))
    return [name(pdu) for pdu in await esme.passed()]


def name(pdu: Any) -> str:
    if isinstance(pdu, SubmitSmResp):
        return f"answer 0x{pdu.command_status:02X}"
    assert isinstance(pdu, DeliverSm)
    stat = pdu.short_message.split(b"stat:")[1].split(b" text:")[0]
    return stat.decode()


WORDS = [
    (b"plain", ["answer 0x00", "DELIVRD err:000"], True),
    (b"not a #word", ["answer 0x00", "DELIVRD err:000"], True),
    (b"#lose", ["DELIVRD err:000"], True),
    (b"#vanish", [], False),
    (b"#refuse", ["answer 0x08"], False),
    (b"#refuse:0x0B", ["answer 0x0B"], False),
    (b"#refuse:20", ["answer 0x14"], False),
    (b"#throttle", ["answer 0x58"], False),
    (b"#queuefull", ["answer 0x14"], False),
    (b"#noreceipt", ["answer 0x00"], True),
    (b"#early", ["DELIVRD err:000", "answer 0x00"], True),
    (b"#undeliv", ["answer 0x00", "UNDELIV err:001"], False),
    (b"#undeliv:01B", ["answer 0x00", "UNDELIV err:01B"], False),
    (b"#expired", ["answer 0x00", "EXPIRED err:003"], False),
    (b"#rejected", ["answer 0x00", "REJECTD err:005"], False),
    (b"#twice", ["answer 0x00", "DELIVRD err:000", "DELIVRD err:000"], True),
    (b"#interim", ["answer 0x00", "ENROUTE err:000", "DELIVRD err:000"], True),
    (b"#lost #refuse", ["answer 0x08"], False),
    (b"#early #lose #undeliv:00c", ["UNDELIV err:00c"], False),
    (b"#undeliv #noreceipt", ["answer 0x00"], False),
]


@pytest.mark.parametrize(("body", "effects", "arrives"), WORDS, ids=[case[0].decode() for case in WORDS])
async def test_word_in_the_text(rig: Rig, body: bytes, effects: list[str], arrives: bool) -> None:
    esme = await rig.bound()
    assert await seen(esme, body) == effects
    assert await rig.bodies() == ([body.decode()] if arrives else [])
    assert await seen(esme, b"the next one") == ["answer 0x00", "DELIVRD err:000"]


SETTINGS: list[tuple[dict[str, Any], list[str], bool]] = [
    ({"lose_answer": 1}, ["DELIVRD err:000"], True),
    ({"vanish": 1}, [], False),
    ({"refuse": 1, "refuse_status": 0x14}, ["answer 0x14"], False),
    ({"no_receipt": 1}, ["answer 0x00"], True),
    ({"repeat_receipt": 1}, ["answer 0x00", "DELIVRD err:000", "DELIVRD err:000"], True),
    ({"queue_full": 1}, ["answer 0x14"], False),
    ({"receipt_first": 1}, ["DELIVRD err:000", "answer 0x00"], True),
    (
        {"undeliver": 1, "undeliver_stat": "EXPIRED", "undeliver_err": "00A"},
        ["answer 0x00", "EXPIRED err:00A"],
        False,
    ),
]


@pytest.mark.parametrize(("faults", "effects", "arrives"), SETTINGS, ids=[next(iter(case[0])) for case in SETTINGS])
async def test_fault_for_all_texts(rig: Rig, faults: dict[str, Any], effects: list[str], arrives: bool) -> None:
    esme = await rig.bound()
    await rig.faults(**faults)
    assert await seen(esme, b"hello") == effects
    assert await rig.bodies() == (["hello"] if arrives else [])
    assert (await rig.http.delete("/faults")).status_code == 204
    assert await seen(esme, b"again") == ["answer 0x00", "DELIVRD err:000"]


async def test_lost_answers_are_counted(rig: Rig) -> None:
    esme = await rig.bound()
    await seen(esme, b"#lose")
    await seen(esme, b"#vanish")
    stats = await rig.stats()
    assert (stats["submitted"], stats["accepted"], stats["texts"], stats["lost_answers"]) == (2, 1, 1, 2)


async def test_throttle_above_a_rate(rig: Rig) -> None:
    esme = await rig.bound()
    await rig.faults(throttle_above=10)
    esme.send(*[esme.submit_sm(b"%d" % n) for n in range(40)])
    answers = [name(pdu) for pdu in await esme.passed()]
    taken = answers.count("answer 0x00")
    assert set(answers) == {"answer 0x00", "answer 0x58"}
    assert 10 <= taken <= 20  # the 40 may fall into two seconds of the clock
    assert len(await rig.texts()) == taken


async def test_a_full_queue_comes_in_bursts(rig: Rig) -> None:
    esme = await rig.bound()
    await rig.faults(queue_full=0.1, queue_full_burst=4)
    esme.send(*[esme.submit_sm(b"%d" % n) for n in range(200)])
    answers = [name(pdu) for pdu in await esme.passed()]
    runs = [len(list(run)) for status, run in itertools.groupby(answers) if status == "answer 0x14"]
    assert set(answers) == {"answer 0x00", "answer 0x14"}
    assert all(run % 4 == 0 for run in runs[:-1])
    assert len(await rig.texts()) == answers.count("answer 0x00")


@pytest.mark.parametrize("faults", [{"unknown_receipt": 1}, {}], ids=["for all", "by text"])
async def test_a_receipt_with_an_id_that_nobody_was_given(rig: Rig, faults: dict[str, float]) -> None:
    esme = await rig.bound()
    await rig.faults(**faults)
    answer = await esme.submit(b"hello" if faults else b"#unknownid", registered_delivery=1)
    receipt = await esme.delivered()
    named = receipt.tlvs[Tag.RECEIPTED_MESSAGE_ID]
    assert named != answer.message_id.encode() + b"\0"
    assert receipt.short_message.startswith(b"id:" + named[:-1] + b" ")
    query = await esme.ask(QuerySm(esme.sequence(), 0, named[:-1].decode()))
    assert isinstance(query, QuerySmResp)
    assert query.command_status == 0x67


@pytest.mark.parametrize("faults", [{"garbage": 1}, {}], ids=["for all", "by text"])
async def test_octets_that_are_no_answer(rig: Rig, faults: dict[str, float]) -> None:
    esme = await rig.bound()
    await rig.faults(**faults)
    esme.send(esme.submit_sm(b"hello" if faults else b"#garbage"))
    with pytest.raises(PduError):
        await esme.next()
    assert len(await rig.texts()) == 1


@pytest.mark.parametrize("faults", [{"half_answer": 1}, {}], ids=["for all", "by text"])
async def test_half_an_answer_and_the_end(rig: Rig, faults: dict[str, float]) -> None:
    esme = await rig.bound()
    await rig.faults(**faults)
    esme.send(esme.submit_sm(b"hello" if faults else b"#half"))
    rest = await esme.rest()
    assert len(rest) == int.from_bytes(rest[:4]) // 2
    assert rest[4:8] == b"\x80\x00\x00\x04"
    assert len(await rig.texts()) == 1


RESETS: list[tuple[dict[str, float], bytes]] = [
    ({"reset": 1}, b"hello"),
    ({"reset_after": 1}, b"hello"),
    ({}, b"#reset"),
]


@pytest.mark.parametrize(("faults", "body"), RESETS, ids=["share", "count", "by text"])
async def test_line_is_reset_instead_of_the_answer(rig: Rig, faults: dict[str, float], body: bytes) -> None:
    esme = await rig.bound()
    await rig.faults(**faults)
    esme.send(esme.submit_sm(body))
    with pytest.raises(ConnectionResetError):
        await esme.rest()
    assert len(await rig.texts()) == 1
    assert (await rig.stats())["dropped_lines"] == 1


async def test_new_connections_are_reset(rig: Rig) -> None:
    await rig.faults(reset_connect=1)
    with pytest.raises(ConnectionResetError):
        await (await rig.connect()).rest()
    await rig.faults()
    assert await (await rig.bound()).passed() == []


async def test_binds_are_refused(rig: Rig) -> None:
    await rig.faults(refuse_bind=1)
    refused = await rig.connect()
    assert (await refused.bind()).command_status == 0x0D
    assert await refused.next() is None
    await rig.faults(refuse_bind=1, refuse_bind_status=0x0401)
    assert (await (await rig.connect()).bind()).command_status == 0x0401


async def test_every_line_hangs_and_those_that_did_stay_so() -> None:
    async with running(enquire_link_interval=0.05) as rig:
        bound, new = await rig.bound(), await rig.connect()
        await rig.faults(hang=True)
        bound.send(EnquireLink(7), bound.submit_sm(b"hello"))
        new.send(BindTransceiver(7, 0, "acme", "hush"))
        assert await bound.silence(0.3)  # six intervals, and it neither asks nor gives up
        assert await new.silence(0.1)
        assert await rig.texts() == []
        await rig.faults()
        bound.send(EnquireLink(8))
        assert await (await rig.bound()).submit(b"over a line that lives")
        assert await bound.silence(0.1)
        assert await rig.bodies() == ["over a line that lives"]


async def test_a_word_hangs_its_line_and_no_other(rig: Rig) -> None:
    hung, other = await rig.bound(), await rig.bound()
    hung.send(hung.submit_sm(b"#hang"), EnquireLink(7))
    assert (await other.submit(b"hello")).command_status == 0
    await rig.type("for the line that lives")
    assert (await other.delivered()).short_message == b"for the line that lives"
    assert await hung.silence(0.1)
    assert await rig.bodies() == ["hello"]


@pytest.mark.parametrize("faults", [{"arrival_delay": 0.3}, {}], ids=["for all", "by text"])
async def test_a_phone_that_is_away_gets_the_text_later(rig: Rig, faults: dict[str, float]) -> None:
    esme = await rig.bound()
    await rig.faults(**faults)
    assert await seen(esme, b"hello" if faults else b"#away:0.3") == ["answer 0x00"]
    assert (await rig.bodies(), (await rig.stats())["on_the_way"]) == ([], 1)
    assert name(await esme.next()) == "DELIVRD err:000"
    assert len(await rig.texts()) == 1


@pytest.mark.parametrize("faults", [{"answer_delay": 0.3}, {}], ids=["for all", "by text"])
async def test_slow_answer_and_receipt_after_it(rig: Rig, faults: dict[str, float]) -> None:
    esme = await rig.bound()
    await rig.faults(**faults)
    started = asyncio.get_running_loop().time()
    assert await seen(esme, b"hello" if faults else b"#slow:0.3") == []
    assert await rig.bodies() != []
    assert [name(await esme.next()), name(await esme.next())] == ["answer 0x00", "DELIVRD err:000"]
    assert asyncio.get_running_loop().time() - started >= 0.3


@pytest.mark.parametrize("faults", [{"receipt_delay": 0.3}, {}], ids=["for all", "by text"])
async def test_late_receipt(rig: Rig, faults: dict[str, float]) -> None:
    esme = await rig.bound()
    await rig.faults(**faults)
    started = asyncio.get_running_loop().time()
    assert await seen(esme, b"hello" if faults else b"#late:0.3") == ["answer 0x00"]
    assert name(await esme.next()) == "DELIVRD err:000"
    assert asyncio.get_running_loop().time() - started >= 0.3


@pytest.mark.parametrize("faults", [{"drop": 1}, {"drop_after": 1}, {}], ids=["share", "count", "by text"])
async def test_line_is_closed_instead_of_the_answer(rig: Rig, faults: dict[str, float]) -> None:
    esme = await rig.bound()
    await rig.faults(**faults)
    esme.send(esme.submit_sm(b"hello" if faults else b"#drop", registered_delivery=1))
    assert await esme.next() is None
    assert len(await rig.texts()) == 1
    assert (await rig.stats())["dropped_lines"] == 1
    # The SMSC had taken it, so its receipt comes over the next line.
    assert name(await (await rig.bound()).next()) == "DELIVRD err:000"


async def test_a_dropped_line_takes_no_answer_of_others_with_it(rig: Rig) -> None:
    esme = await rig.bound()
    esme.send(esme.submit_sm(b"fine"), esme.submit_sm(b"#drop"), esme.submit_sm(b"too late"))
    assert name(await esme.next()) == "answer 0x00"
    assert await esme.next() is None
    assert await rig.bodies() == ["fine", "#drop"]


async def test_line_is_closed_at_the_third_text(rig: Rig) -> None:
    esme = await rig.bound()
    await rig.faults(drop_after=3)
    assert [(await esme.submit(b"%d" % n)).command_status for n in (1, 2)] == [0, 0]
    assert await esme.ask(esme.submit_sm(b"3")) is None
    assert await rig.bodies(HANDSET) == ["1", "2", "3"]


async def test_lines_are_unbound_on_demand(rig: Rig) -> None:
    esme = await rig.bound()
    assert (await rig.http.post("/lines/drop", json={"unbind": True})).json() == {"dropped": 1}
    assert isinstance(await esme.next(), Unbind)
    assert await esme.next() is None


async def test_lines_are_reset_on_demand(rig: Rig) -> None:
    ours, theirs = await rig.bound(), await rig.bound(system_id="globex")
    assert (await rig.http.post("/lines/drop", json={"system_id": "acme"})).json() == {"dropped": 1}
    with pytest.raises(ConnectionResetError):
        await ours.rest()
    assert await theirs.passed() == []
    [line] = await rig.get("/lines")
    assert (line["system_id"], line["session"]) == ("globex", "transceiver")
    assert (await rig.http.post("/lines/drop", json={"line": line["line"]})).json() == {"dropped": 1}
    assert await theirs.next() is None
