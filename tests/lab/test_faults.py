"""Each fault on a real line, asked for by the text or set for all."""

import asyncio
from typing import Any

import pytest

from lab.rig import HANDSET, Esme, Rig
from smsdesk.carriers.smpp.pdu import DeliverSm, SubmitSmResp


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
    (b"#noreceipt", ["answer 0x00"], True),
    (b"#early", ["DELIVRD err:000", "answer 0x00"], True),
    (b"#undeliv", ["answer 0x00", "UNDELIV err:001"], False),
    (b"#undeliv:01B", ["answer 0x00", "UNDELIV err:01B"], False),
    (b"#expired", ["answer 0x00", "EXPIRED err:003"], False),
    (b"#rejected", ["answer 0x00", "REJECTD err:005"], False),
    (b"#lost #refuse", ["answer 0x08"], False),
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


async def test_lines_are_reset_on_demand(rig: Rig) -> None:
    ours, theirs = await rig.bound(), await rig.bound(system_id="globex")
    assert (await rig.http.post("/lines/drop", json={"system_id": "acme"})).json() == {"dropped": 1}
    assert await ours.next() is None
    assert await theirs.passed() == []
    [line] = await rig.get("/lines")
    assert (line["system_id"], line["session"]) == ("globex", "transceiver")
    assert (await rig.http.post("/lines/drop", json={"line": line["line"]})).json() == {"dropped": 1}
    assert await theirs.next() is None
