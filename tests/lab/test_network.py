"""What the SMPP port and the HTTP vendors share: the log of segments, the faults, replies to whoever owns a number."""

import asyncio
import json
import time
from random import Random
from typing import Any

import pytest

from lab.rig import HANDSET, NUMBER, Rig, running
from smsdesk.carriers.smpp.pdu import Tag
from smsdesk.lab.faults import Faults
from smsdesk.lab.handsets import HandsetReply
from smsdesk.lab.network import Network
from smsdesk.lab.submission import SMPP, Submission
from smsdesk.lab.verdict import FINE, QUEUE_FULL, THROTTLED

LONG = "a long reply, part after part after part. " * 10
"""420 characters, three parts."""


async def segments(rig: Rig, after: int = 0) -> list[dict[str, Any]]:
    answer = await rig.http.get(f"/segments?after={after}")
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_the_log_has_each_segment_when_it_came_in(rig: Rig) -> None:
    esme, began = await rig.bound(), time.time()
    await esme.submit(b"alone")
    for number in (1, 2):
        await esme.submit(bytes((5, 0, 3, 9, 2, number)) + b"part", esm_class=0x40)
    await esme.submit(b"", tlvs={Tag.MESSAGE_PAYLOAD: b"x" * 307})
    await esme.submit(b"#undeliv")
    await esme.submit(b"#refuse")
    await esme.submit(b"away #away:60")
    log = await segments(rig)
    assert [entry["segments"] for entry in log] == [1, 1, 1, 3, 1, 1]
    assert {key: log[0][key] for key in log[0] if key != "at"} == {
        "source": NUMBER, "destination": HANDSET, "system": "acme", "via": "smpp", "segments": 1,
    }  # fmt: skip
    times = [entry["at"] for entry in log]
    assert times == sorted(times)
    assert began <= times[0] <= times[-1] <= time.time()
    assert await segments(rig, after=4) == log[4:]


async def test_the_log_is_bounded() -> None:
    async with running(keep_texts=64) as rig:
        esme = await rig.bound()
        esme.send(*[esme.submit_sm(b"%d" % n) for n in range(200)])
        await esme.passed()
        assert len(await segments(rig)) == 64


SHUFFLED: list[tuple[dict[str, Any], str]] = [({"shuffle_parts": 1}, ""), ({}, "#shuffle ")]


@pytest.mark.parametrize(("faults", "word"), SHUFFLED, ids=["for all", "by text"])
async def test_parts_of_a_reply_come_in_another_order(rig: Rig, faults: dict[str, Any], word: str) -> None:
    await rig.faults(**faults)
    esme = await rig.bound()
    await rig.type(word + LONG)
    parts = [(await esme.delivered()).short_message for _ in range(3)]
    assert [part[5] for part in parts] != [1, 2, 3]
    assert b"".join(part[6:] for part in sorted(parts)).decode() == word + LONG
    assert await esme.passed() == []


@pytest.mark.parametrize(("faults", "word"), [({"lose_part": 1}, ""), ({}, "#losepart:2 ")], ids=["for all", "by text"])
async def test_a_part_of_a_reply_never_comes(rig: Rig, faults: dict[str, Any], word: str) -> None:
    await rig.faults(**faults)
    esme = await rig.bound()
    await rig.type(word + LONG)
    assert [(await esme.delivered()).short_message[4:6] for _ in range(2)] == [b"\x03\x01", b"\x03\x03"]
    assert await esme.passed() == []
    [reply] = await rig.get(f"/handsets/{HANDSET}/replies")
    assert (reply["parts"], reply["state"]) == (3, "answered")


@pytest.mark.parametrize(("faults", "word"), [({"repeat_reply": 1}, ""), ({}, " #twice")], ids=["for all", "by text"])
async def test_a_reply_comes_twice_with_the_same_ids(rig: Rig, faults: dict[str, Any], word: str) -> None:
    await rig.faults(**faults)
    esme = await rig.bound()
    await rig.type("hello" + word)
    first, second = await esme.delivered(), await esme.delivered()
    assert (first.short_message, first.tlvs) == (second.short_message, second.tlvs)
    assert await esme.passed() == []


class Vendor:
    """Another door than the SMPP port."""

    def __init__(self, network: Network, *numbers: str) -> None:
        self.got: list[HandsetReply] = []
        network.attach("vendor", numbers.__contains__, self.got.append)


@pytest.fixture
async def network() -> Network:
    network = Network(1000, lambda: 1_000.0, Random(7))
    network.attach(SMPP, lambda number: False, network.changed)
    return network


def text(body: str = "hello", via: str = "vendor", source: str = NUMBER) -> Submission:
    return Submission(via, "account", source, HANDSET, body, "gsm7", 2)


async def test_a_text_of_a_vendor_arrives_whole(network: Network) -> None:
    assert network.submit(text()) == FINE
    arrived = network.arrive(text(), "SM1")
    assert (arrived.via, arrived.system_id, arrived.carrier_ids, arrived.submits) == (
        "vendor", "account", ("SM1",), (1, 1),
    )  # fmt: skip
    assert network.handsets.after(0, 10) == [arrived]
    [segment] = network.segments.after(0, 10)
    assert (segment.via, segment.system, segment.segments, segment.at) == ("vendor", "account", 2, 1_000.0)
    assert (network.counters.accepted, network.counters.texts) == (1, 1)


async def test_a_reply_goes_where_its_number_last_sent_from(network: Network) -> None:
    vendor = Vendor(network)
    network.submit(text())
    mine = network.reply(HANDSET, NUMBER, "yes")
    network.submit(text(via=SMPP))
    network.reply(HANDSET, NUMBER, "to SMPP")
    assert vendor.got == [mine]


async def test_a_vendor_owns_the_numbers_of_its_account_before_any_text(network: Network) -> None:
    vendor = Vendor(network, NUMBER)
    network.submit(text(via=SMPP))
    assert vendor.got == [network.reply(HANDSET, NUMBER, "yes")]


async def test_a_handset_answers_a_vendor_by_itself(network: Network) -> None:
    vendor = Vendor(network)
    network.handsets.auto_reply = "I drive"
    network.submit(text())
    network.arrive(text(), "SM1")
    await asyncio.sleep(0)  # the phone answers in the next turn of the loop
    assert [(reply.number, reply.to, reply.body) for reply in vendor.got] == [(HANDSET, NUMBER, "I drive")]


async def test_faults_count_for_each_system_of_each_door_alone(network: Network) -> None:
    network.set_faults(Faults(throttle_above=1))
    assert [network.submit(text()) for _ in range(2)] == [FINE, THROTTLED]
    assert network.submit(text(via=SMPP)) == FINE
    network.set_faults(Faults(queue_full=1, queue_full_burst=2))
    assert network.submit(text()) == QUEUE_FULL


async def test_a_fault_word_and_the_counters(network: Network) -> None:
    for body in ("#refuse:0x0B", "#vanish", "#lose"):
        network.submit(text(body))
    counters = network.counters
    assert (counters.submitted, counters.refused, counters.accepted, counters.lost_answers) == (3, 1, 1, 2)


async def test_ids_of_replies_differ_over_a_restart() -> None:
    ids = set()
    for started in (1_000.0, 1_001.0):
        network = Network(10, lambda now=started: now, Random(7))  # type: ignore[misc]
        network.attach(SMPP, lambda number: False, network.changed)
        ids.update(network.reply(HANDSET, NUMBER, LONG).message_ids)
    assert len(ids) == 6
