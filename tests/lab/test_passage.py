"""Texts that are on their way: when they arrive, expire, or are taken back."""

from datetime import UTC, datetime, timedelta

import pytest

from lab.rig import HANDSET, Esme, Rig, running
from smsdesk.carriers.smpp.pdu import CancelSm, CancelSmResp, DataSm, DeliverSm, QuerySm, QuerySmResp, Tag
from smsdesk.lab.times import read_time

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC).timestamp()
HOUR = 3600


async def state(esme: Esme, message_id: str) -> int:
    answer = await esme.ask(QuerySm(esme.sequence(), 0, message_id))
    assert isinstance(answer, QuerySmResp)
    return answer.message_state


async def cancelled(esme: Esme, message_id: str = "", **fields: str) -> int:
    """The command_status of the answer to a cancel_sm."""
    cancel = CancelSm(esme.sequence(), message_id=message_id, **fields)
    esme.send(cancel)
    while not isinstance(answer := await esme.next(), CancelSmResp):
        assert isinstance(answer, DeliverSm)
    assert answer.sequence_number == cancel.sequence_number
    return answer.command_status


async def test_a_text_whose_validity_ends_first_does_not_arrive(rig: Rig) -> None:
    esme = await rig.bound()
    soon, later = "000000000001000R", "000000000100000R"
    short = await esme.submit(b"#away:60", validity_period=soon, registered_delivery=1)
    await esme.submit(b"in time #away:0.2", validity_period=later, registered_delivery=1)
    first, second = await esme.delivered(), await esme.delivered()
    assert b"stat:DELIVRD" in first.short_message
    assert second.tlvs[Tag.RECEIPTED_MESSAGE_ID] == f"{short.message_id}\0".encode()
    assert (b"stat:EXPIRED err:003" in second.short_message, second.tlvs[Tag.MESSAGE_STATE]) == (True, b"\x03")
    assert await rig.bodies() == ["in time #away:0.2"]
    assert await state(esme, short.message_id) == 3


async def test_a_validity_that_is_over_is_over(rig: Rig) -> None:
    esme = await rig.bound()
    past = (datetime.now(UTC) - timedelta(minutes=1)).strftime("%y%m%d%H%M%S000+")
    await esme.submit(b"too late", validity_period=past, registered_delivery=2)
    assert b"stat:EXPIRED" in (await esme.delivered()).short_message
    assert await rig.bodies() == []


async def test_a_data_sm_lives_as_long_as_it_says(rig: Rig) -> None:
    esme = await rig.bound()
    await rig.faults(arrival_delay=0.2)
    for seconds in (0, 60):
        payload = {Tag.MESSAGE_PAYLOAD: b"%d" % seconds, 0x0017: seconds.to_bytes(4)}
        esme.send(DataSm(esme.sequence(), destination_addr=HANDSET[1:], dest_addr_ton=1, tlvs=payload))
    await esme.passed()
    await rig.until_texts(1)
    assert await rig.bodies() == ["60"]


async def test_a_scheduled_text_comes_at_its_time(rig: Rig) -> None:
    esme = await rig.bound()
    answer = await esme.submit(b"later", schedule_delivery_time="000000000001000R", registered_delivery=1)
    assert (await rig.bodies(), await state(esme, answer.message_id)) == ([], 1)
    assert b"stat:DELIVRD" in (await esme.delivered()).short_message
    assert await rig.bodies() == ["later"]


async def test_what_is_on_its_way_is_taken_back(rig: Rig) -> None:
    esme = await rig.bound()
    message_id = (await esme.submit(b"no, wait #away:60", registered_delivery=1)).message_id
    assert await cancelled(esme, message_id) == 0
    receipt = await esme.delivered()
    assert (b"stat:DELETED" in receipt.short_message, receipt.tlvs[Tag.MESSAGE_STATE]) == (True, b"\x04")
    assert await state(esme, message_id) == 4
    assert await cancelled(esme, message_id) == 0x11
    assert (await rig.bodies(), (await rig.stats())["on_the_way"]) == ([], 0)


async def test_what_arrived_is_not_taken_back_nor_what_is_of_others(rig: Rig) -> None:
    ours, theirs = await rig.bound(), await rig.bound(system_id="globex")
    arrived = (await ours.submit(b"hello")).message_id
    away = (await ours.submit(b"#away:60")).message_id
    assert [await cancelled(ours, arrived), await cancelled(ours, "no id"), await cancelled(theirs, away)] == [0x11] * 3
    assert (await rig.stats())["on_the_way"] == 1


async def test_all_between_two_addresses_are_taken_back(rig: Rig) -> None:
    esme = await rig.bound()
    for _ in range(2):
        await esme.submit(b"#away:60")
    await esme.submit(b"#away:60", destination_addr="14155550101")
    between = esme.submit_sm(b"")
    fields = {"source_addr": between.source_addr, "destination_addr": between.destination_addr}
    assert await cancelled(esme, service_type="CMT", **fields) == 0x11
    assert await cancelled(esme, **fields) == 0
    assert (await rig.stats())["on_the_way"] == 1


async def test_no_more_on_the_way_than_the_lab_keeps() -> None:
    async with running(keep_texts=2) as rig:
        esme = await rig.bound()
        answers = [await esme.submit(b"#away:60") for _ in range(3)]
        assert [answer.command_status for answer in answers] == [0, 0, 0x14]
        assert await cancelled(esme, answers[0].message_id) == 0
        assert (await esme.submit(b"there is room again")).command_status == 0


async def test_a_reset_stops_what_is_on_its_way(rig: Rig) -> None:
    esme = await rig.bound()
    await esme.submit(b"#away:0.2", registered_delivery=1)
    await rig.http.delete("/texts")
    await esme.submit(b"#away:0.3", registered_delivery=1)
    assert b"#away:0.3" in (await esme.delivered()).short_message
    assert await rig.bodies() == ["#away:0.3"]


TIMES = [
    ("", None),
    ("000000010000000R", NOW + HOUR),
    ("000001000000000R", NOW + 24 * HOUR),
    ("261122130000000+", NOW + HOUR),
    ("261122130000500+", NOW + HOUR + 0.5),
    ("261122130000004+", NOW),  # an hour ahead of UTC
    ("261122070000020-", NOW),  # five behind
]


@pytest.mark.parametrize(("written", "seconds"), TIMES)
def test_times_as_the_standard_writes_them(written: str, seconds: float | None) -> None:
    assert read_time(written, NOW) == seconds


@pytest.mark.parametrize("written", ["x", "26112213000000", "261122130000049+", "261322130000000+", "000000010000100R"])
def test_what_is_no_time(written: str) -> None:
    with pytest.raises(ValueError, match="YYMMDDhhmmsstnnp"):
        read_time(written, NOW)
