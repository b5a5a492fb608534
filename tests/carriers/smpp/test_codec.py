"""The codec against the standard's own words, an independent codec, and anything at all."""

import pytest
import smpp34
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import fields

from smsdesk.carriers.smpp import pdu as smpp
from smsdesk.carriers.smpp.codec import MAX_PDU, Framer, PduError, decode, encode
from smsdesk.carriers.smpp.status import Status, describe

OCTET = st.integers(0, 255)
STRING = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=20)
MESSAGE = st.binary(max_size=254)
TLVS = st.dictionaries(st.integers(0, 0xFFFF), st.binary(max_size=40), max_size=4)
VALUES = {int: OCTET, str: STRING, bytes: MESSAGE}


def pdus_of(cls: type[smpp.Pdu]) -> st.SearchStrategy[smpp.Pdu]:
    kinds = {name: VALUES.get(kind, TLVS) for name, kind in list(_kinds(cls).items())[2:]}
    numbers = st.integers(1, smpp.MAX_SEQUENCE_NUMBER)
    return st.builds(cls, sequence_number=numbers, command_status=st.just(0), **kinds)


def _kinds(cls: type[smpp.Pdu]) -> dict[str, object]:
    return {field.name: field.type for field in fields(cls)}


ANY_PDU = st.one_of([pdus_of(cls) for cls in smpp.PDUS])


@settings(deadline=None)
@given(ANY_PDU)
def test_what_is_written_is_read(pdu: smpp.Pdu) -> None:
    octets = encode(pdu)
    assert int.from_bytes(octets[:4]) == len(octets)
    assert decode(octets) == pdu


@settings(deadline=None)
@given(st.lists(ANY_PDU, max_size=6), st.lists(st.integers(1, 200), min_size=1))
def test_a_stream_may_be_cut_anywhere(pdus: list[smpp.Pdu], cuts: list[int]) -> None:
    stream, framer, read = b"".join(map(encode, pdus)), Framer(), []
    at = turn = 0
    while at < len(stream):
        step = cuts[turn % len(cuts)]
        read += framer.feed(stream[at : at + step])
        at, turn = at + step, turn + 1
    assert read == pdus


COMMANDS = st.sampled_from([cls.command_id for cls in smpp.PDUS]) | st.integers(0, 0xFFFFFFFF)


@st.composite
def headed_noise(draw: st.DrawFn) -> bytes:
    body = draw(st.binary(max_size=80))
    return (16 + len(body)).to_bytes(4) + draw(COMMANDS).to_bytes(4) + draw(st.binary(min_size=8, max_size=8)) + body


def feed(framer: Framer, data: bytes) -> PduError | None:
    try:
        pdus = framer.feed(data)
    except PduError as problem:
        return problem
    for pdu in pdus:
        assert pdu.command_id in {cls.command_id for cls in smpp.PDUS}
    return None


@settings(deadline=None)
@given(st.lists(st.binary(max_size=60) | headed_noise(), max_size=6))
def test_any_octets_are_pdus_or_a_pdu_error(chunks: list[bytes]) -> None:
    framer = Framer()
    for chunk in chunks:
        problems, problem = 0, feed(framer, chunk)
        while problem is not None:
            nack = smpp.GenericNack(problem.sequence_number, problem.command_status)
            assert decode(encode(nack)) == nack
            assert problem.command_status in (Status.RINVCMDLEN, Status.RINVCMDID)
            if problem.fatal:
                return
            problems += 1
            assert problems <= 64, "the framer does not come to an end"
            problem = feed(framer, b"")


@settings(deadline=None)
@given(pdus_of(smpp.SubmitSm))
def test_submit_sm_is_what_another_codec_writes(pdu: smpp.SubmitSm) -> None:
    ours = encode(pdu)
    theirs = smpp34.decode(ours)
    assert theirs.short_message == pdu.short_message
    assert (theirs.dest_addr_ton, theirs.dest_addr_npi) == (pdu.dest_addr_ton, pdu.dest_addr_npi)
    assert (theirs.esm_class, theirs.data_coding) == (pdu.esm_class, pdu.data_coding)
    assert {tlv.tag: bytes(tlv.value) for tlv in theirs.tlvs} == pdu.tlvs
    if all(pdu_text.isascii() for pdu_text in (pdu.service_type, pdu.source_addr, pdu.destination_addr)):
        assert (theirs.source_addr, theirs.destination_addr) == (pdu.source_addr, pdu.destination_addr)


@settings(deadline=None)
@given(st.text("0123456789", max_size=20), MESSAGE, TLVS, st.integers(1, smpp.MAX_SEQUENCE_NUMBER))
def test_what_another_codec_writes_is_read(digits: str, message: bytes, tlvs: dict[int, bytes], number: int) -> None:
    theirs = smpp34.DeliverSm(
        source_addr="14155550100",
        destination_addr=digits,
        short_message=message,
        dest_addr_ton=1,
        esm_class=4,
        data_coding=8,
        tlvs=[smpp34.Tlv(tag, value) for tag, value in tlvs.items()],
        sequence_number=number,
    )
    ours = decode(theirs.encode())
    assert ours == smpp.DeliverSm(
        number,
        source_addr="14155550100",
        dest_addr_ton=1,
        destination_addr=digits,
        esm_class=4,
        data_coding=8,
        short_message=message,
        tlvs=tlvs,
    )


def test_a_bind_on_the_wire() -> None:
    """The example of the standard's section 3.2.3.1, with its own values."""
    octets = bytes.fromhex(
        "0000002F 00000002 00000000 00000001 534D50503354455354 00 7365637265743038 00 5355424D495431 00 34 01 01 00"
    )
    bind = decode(octets)
    assert isinstance(bind, smpp.BindTransmitter)
    assert (bind.system_id, bind.password, bind.system_type) == ("SMPP3TEST", "secret08", "SUBMIT1")
    assert encode(bind) == octets


def test_the_password_is_in_no_repr() -> None:
    shown = repr([smpp.BindTransceiver(1, system_id="acme", password="hush"), smpp.Outbind(1, password="hush")])
    assert "acme" in shown
    assert "hush" not in shown


@pytest.mark.parametrize(
    ("pdu", "problem"),
    [
        (smpp.SubmitSm(source_addr="162\0855"), "zero octet"),
        (smpp.SubmitSm(source_addr="Ωmega"), "latin-1"),
        (smpp.SubmitSm(data_coding=256), "latin-1"),
        (smpp.SubmitSm(data_coding=-1), "range"),
        (smpp.SubmitSm(short_message=bytes(255)), "use message_payload"),
        (smpp.SubmitSm(tlvs={0x0424: bytes(70_000)}), "SubmitSm"),
        (smpp.SubmitSm(sequence_number=1 << 32), "SubmitSm"),
    ],
)
def test_what_has_no_place_on_the_wire_is_refused(pdu: smpp.Pdu, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        encode(pdu)


def test_a_refusal_may_come_with_or_without_a_body() -> None:
    bare = encode(smpp.SubmitSmResp(7, Status.RTHROTTLED))
    assert len(bare) == 16
    assert decode(bare) == smpp.SubmitSmResp(7, Status.RTHROTTLED)
    with_body = (17).to_bytes(4) + bare[4:] + b"\0"
    assert decode(with_body) == smpp.SubmitSmResp(7, Status.RTHROTTLED)


def test_one_bad_pdu_does_not_take_its_neighbours() -> None:
    framer, good = Framer(), smpp.EnquireLink(5)
    unknown = encode(smpp.EnquireLink(6)).replace((0x15).to_bytes(4), (0x7777).to_bytes(4))
    with pytest.raises(PduError, match="unknown command_id 0x00007777") as caught:
        framer.feed(encode(good) + unknown + encode(good))
    assert caught.value.pdus == [good]
    assert (caught.value.sequence_number, caught.value.command_status) == (6, Status.RINVCMDID)
    assert not caught.value.fatal
    assert framer.feed(b"") == [good]


@pytest.mark.parametrize("length", [0, 15, MAX_PDU + 1, 0xFFFFFFFF])
def test_an_absurd_length_is_fatal_at_once(length: int) -> None:
    with pytest.raises(PduError, match=str(length)) as caught:
        Framer().feed(length.to_bytes(4) + encode(smpp.EnquireLink(9))[4:])
    assert caught.value.fatal
    assert (caught.value.sequence_number, caught.value.command_status) == (9, Status.RINVCMDLEN)


def test_the_largest_pdu_is_read_octet_by_octet() -> None:
    pdu = smpp.DeliverSm(1, tlvs={smpp.Tag.MESSAGE_PAYLOAD: bytes(MAX_PDU - 16 - 17 - 4)})
    octets, framer = encode(pdu), Framer()
    assert len(octets) == MAX_PDU
    read = [pdu for at in range(len(octets)) for pdu in framer.feed(octets[at : at + 1])]
    assert read == [pdu]


def test_a_status_is_said_in_the_standards_words() -> None:
    assert describe(0x58) == "ESME_RTHROTTLED (0x00000058)"
    assert describe(0x0499) == "0x00000499"
