"""Binding, timers, questions, and whatever else comes in on the SMPP port."""

import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lab.process import LabProcess
from lab.rig import HANDSET, NUMBER, PATIENCE, Rig, running
from smsdesk.carriers.smpp.codec import Framer, encode
from smsdesk.carriers.smpp.pdu import (
    PDUS,
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    CancelSm,
    CancelSmResp,
    DataSm,
    DataSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    QuerySm,
    QuerySmResp,
    SubmitSmResp,
    Tag,
    Unbind,
    UnbindResp,
)

REPLACE_SM, SUBMIT_MULTI = 0x00000007, 0x00000021


@pytest.mark.parametrize("kind", [BindTransmitter, BindReceiver, BindTransceiver])
async def test_every_kind_of_bind(rig: Rig, kind: type) -> None:
    esme = await rig.connect()
    answer = await esme.bind(kind)
    assert (answer.command_status, answer.system_id, answer.tlvs) == (
        0,
        "smsdesk-lab",
        {Tag.SC_INTERFACE_VERSION: b"4"},
    )
    assert (await esme.bind(kind)).command_status == 0x05
    [line] = await rig.get("/lines")
    assert line["session"] == kind.__name__.removeprefix("Bind").lower()
    submitted = 0x04 if kind is BindReceiver else 0
    assert (await esme.submit(b"hello")).command_status == submitted


@pytest.mark.parametrize(("system_id", "password", "status"), [("globex", "hush", 0x0F), ("acme", "wrong", 0x0E)])
async def test_only_configured_systems_may_bind(system_id: str, password: str, status: int) -> None:
    async with running(systems={"acme": "hush"}) as rig:
        refused = await rig.connect()
        assert (await refused.bind(system_id=system_id, password=password)).command_status == status
        assert await refused.next() is None
        assert (await (await rig.connect()).bind()).command_status == 0


async def test_nothing_before_the_bind(rig: Rig) -> None:
    esme = await rig.connect()
    assert (await esme.submit(b"hello")).command_status == 0x04
    assert isinstance(await esme.ask(QuerySm(esme.sequence(), 0, "1")), GenericNack)
    assert await rig.texts() == []


async def test_several_lines_of_one_system(rig: Rig) -> None:
    first, second = await rig.bound(), await rig.bound()
    ids = {(await esme.submit(b"hello")).message_id for esme in (first, second, first, second)}
    assert len(ids) == 4
    assert await rig.bodies() == ["hello"] * 4
    assert (await rig.stats())["bound"] == 2


async def test_query_sm_tells_the_state(rig: Rig) -> None:
    esme = await rig.bound()
    states = {}
    for body in (b"hello", b"#undeliv", b"#expired", b"#rejected", b"#late:3600"):
        message_id = (await esme.submit(body)).message_id
        answer = await esme.ask(QuerySm(esme.sequence(), 0, message_id))
        assert isinstance(answer, QuerySmResp)
        assert answer.message_id == message_id
        assert bool(answer.final_date) == (body != b"#late:3600")
        states[body] = answer.message_state
    assert states == {b"hello": 2, b"#undeliv": 5, b"#expired": 3, b"#rejected": 8, b"#late:3600": 1}
    for unknown in ("0", "no id", ""):
        answer = await esme.ask(QuerySm(esme.sequence(), 0, unknown))
        assert isinstance(answer, QuerySmResp)
        assert answer.command_status == 0x67


async def test_a_silent_line_is_asked_and_then_closed() -> None:
    async with running(enquire_link_interval=0.1) as rig:
        esme = await rig.bound()
        asked = await esme.next()
        assert isinstance(asked, EnquireLink)
        esme.send(EnquireLinkResp(asked.sequence_number))
        rest = [await esme.next() for _ in range(3)]
        assert isinstance(rest[0], EnquireLink)
        assert rest[-1] is None


async def test_a_line_that_never_binds_is_closed() -> None:
    async with running(session_init_timeout=0.1) as rig:
        assert await (await rig.connect()).next() is None


async def test_unbind_ends_the_line(rig: Rig) -> None:
    esme = await rig.bound()
    unbind = Unbind(esme.sequence())
    assert await esme.ask(unbind) == UnbindResp(unbind.sequence_number)
    assert await esme.next() is None
    assert await rig.get("/lines") == []


async def test_the_lab_says_goodbye(rig: Rig) -> None:
    esme = await rig.bound()
    await rig.lab.stop()
    assert isinstance(await esme.next(), Unbind)
    assert await esme.next() is None


async def test_what_it_does_not_know_is_refused_and_the_line_lives(rig: Rig) -> None:
    esme = await rig.bound()
    esme.send_octets(struct.pack(">IIII", 16, 0x00000111, 0, 7))
    assert await esme.next() == GenericNack(7, 0x03)
    for command_id in (REPLACE_SM, SUBMIT_MULTI):
        esme.send_octets(struct.pack(">IIII", 20, command_id, 0, 9) + b"\0" * 4)
        assert await esme.next() == GenericNack(9, 0x03)
    esme.send_octets(struct.pack(">IIII", 20, 0x00000004, 0, 8) + b"\xff" * 4)
    refused = await esme.next()
    assert isinstance(refused, GenericNack)
    assert (refused.sequence_number, refused.command_status != 0) == (8, True)
    assert await esme.ask(CancelSm(10)) == CancelSmResp(10, 0x11)
    esme.send(SubmitSmResp(11, 0, "an answer to nothing"))
    assert await esme.passed() == []


@pytest.mark.parametrize("length", [0, 15, 65537, 0xFFFFFFFF])
async def test_a_length_that_cannot_be_ends_the_line(rig: Rig, length: int) -> None:
    esme, other = await rig.connect(), await rig.bound()
    esme.send_octets(struct.pack(">IIII", length, 0x00000004, 0, 7))
    assert await esme.next() == GenericNack(7, 0x02)
    assert await esme.next() is None
    assert await other.passed() == []


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x05\x00\x03",
        b"\x05\x00\x03\x01\x00\x00text",
        b"\x05\x00\x03\x01\x02\x03text",
        b"\xff\x00\x03\x01\x02\x01",
    ],
)
async def test_a_header_of_parts_that_makes_no_sense_is_refused(rig: Rig, octets: bytes) -> None:
    esme = await rig.bound()
    assert (await esme.submit(octets, esm_class=0x40)).command_status == 0x45
    assert await esme.passed() == []


LIMITS: list[tuple[dict[str, Any], int]] = [
    ({"destination_addr": ""}, 0x0B),
    ({"registered_delivery": 3}, 0x07),
    ({"schedule_delivery_time": "tomorrow"}, 0x61),
    ({"validity_period": "991332000000000+"}, 0x62),
    ({"validity_period": "000000000000000X"}, 0x62),
]


@pytest.mark.parametrize(("fields", "status"), LIMITS, ids=[next(iter(case[0])) for case in LIMITS])
async def test_a_field_that_makes_no_sense_is_refused_by_its_own_status(
    rig: Rig, fields: dict[str, Any], status: int
) -> None:
    esme = await rig.bound()
    assert (await esme.submit(b"hello", **fields)).command_status == status
    assert await rig.texts() == []
    assert (await rig.stats())["refused"] == 1


async def test_a_short_message_over_254_octets_is_refused(rig: Rig) -> None:
    esme = await rig.bound()
    octets = bytearray(encode(esme.submit_sm(b"x" * 254)) + b"x")
    octets[3] += 1  # command_length, and sm_length:
    octets[-256] = 255
    esme.send_octets(octets)
    answer = await esme.next()
    assert isinstance(answer, SubmitSmResp)
    assert answer.command_status == 0x01


async def test_a_data_sm_is_a_text_as_well(rig: Rig) -> None:
    esme = await rig.bound()
    data = DataSm(
        esme.sequence(),
        source_addr_ton=1,
        source_addr=NUMBER[1:],
        dest_addr_ton=1,
        destination_addr=HANDSET[1:],
        registered_delivery=1,
        tlvs={Tag.MESSAGE_PAYLOAD: b"by data sm"},
    )
    answer = await esme.ask(data)
    assert isinstance(answer, DataSmResp)
    receipt = await esme.delivered()
    assert receipt.tlvs[Tag.RECEIPTED_MESSAGE_ID] == answer.message_id.encode() + b"\0"
    assert [(text["body"], text["carrier_ids"]) for text in await rig.texts()] == [("by data sm", [answer.message_id])]


async def test_data_sm_needs_a_transmitter_as_submit_sm_does(rig: Rig) -> None:
    esme = await rig.bound(BindReceiver)
    assert await esme.ask(DataSm(7)) == DataSmResp(7, 0x04)


async def test_no_more_lines_than_a_system_may_have() -> None:
    async with running(binds_per_system=2) as rig:
        for _ in range(2):
            await rig.bound()
        third = await rig.connect()
        assert (await third.bind()).command_status == 0x0D
        await rig.bound(system_id="globex")


async def test_no_more_open_answers_than_the_window_holds() -> None:
    async with running(submit_window=2) as rig:
        esme = await rig.bound()
        await rig.faults(answer_delay=0.2)
        esme.send(*[esme.submit_sm(b"%d" % n) for n in range(3)])
        refused = await esme.next()
        assert isinstance(refused, SubmitSmResp)
        assert (refused.command_status, refused.sequence_number) == (0x58, 4)
        for _ in range(2):
            answer = await esme.next()
            assert isinstance(answer, SubmitSmResp)
            assert answer.command_status == 0
        assert await rig.bodies() == ["0", "1"]


@pytest.fixture(scope="module")
def lab() -> Iterator[LabProcess]:
    with LabProcess() as lab:
        yield lab


@pytest.fixture(scope="module")
def witness(lab: LabProcess) -> Iterator[socket.socket]:
    """A line that must never notice what happens on the others."""
    with lab.line() as line:
        line.sendall(encode(BindTransceiver(1, 0, "witness", "hush")))
        assert line.recv(65536)
        yield line


_HEADERS = st.builds(
    lambda kind, sequence, body: struct.pack(">IIII", 16 + len(body), kind.command_id, 0, sequence) + body,
    st.sampled_from(PDUS),
    st.integers(0, 0xFFFFFFFF),
    st.binary(max_size=100),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    binds=st.booleans(),
    octets=st.lists(st.one_of(st.binary(max_size=200), _HEADERS), max_size=5).map(b"".join),
)
@example(binds=True, octets=struct.pack(">IIII", 16, 0x80000000, 0, 0) * 3)
def test_no_octets_harm_the_lab_or_another_line(
    lab: LabProcess, witness: socket.socket, binds: bool, octets: bytes
) -> None:
    with lab.line() as line:
        if binds:
            line.sendall(encode(BindTransceiver(1, 0, "fuzz", "hush")))
            assert line.recv(65536)
        line.sendall(octets)
        line.shutdown(socket.SHUT_WR)
        try:
            while line.recv(65536):
                pass
        except ConnectionError:
            pass  # reset by the lab, which is its right
    witness.sendall(encode(EnquireLink(2)))
    witness.settimeout(PATIENCE)
    assert Framer().feed(witness.recv(65536)) == [EnquireLinkResp(2)]
