"""How the SMSC writes receipts and long replies, and reads texts: set for all, or asked for by a text."""

import re
from typing import Any

import pytest

from lab.rig import HANDSET, NUMBER, Rig, running
from smsdesk.carriers.smpp.pdu import DeliverSm, Tag
from smsdesk.lab.dialect import Dialect

RECEIPT = re.compile(
    rb"id:(?P<id>\w+) sub:001 dlvrd:001 submit date:(?P<submit>\d+) done date:(?P<done>\d+) "
    rb"stat:DELIVRD err:000 (?P<word>[Tt]ext):(?P<text>.*)",
    re.DOTALL,
)


async def report(rig: Rig, body: bytes) -> tuple[str, DeliverSm]:
    """The message id of an answer, and its receipt."""
    esme = await rig.bound()
    answer = await esme.submit(body, registered_delivery=1)
    return answer.message_id, await esme.delivered()


def words(receipt: DeliverSm) -> dict[str, bytes]:
    found = RECEIPT.fullmatch(receipt.short_message)
    assert found, receipt.short_message
    return found.groupdict()


IDS: list[tuple[dict[str, Any], bytes]] = [
    ({"receipt_ids": "decimal"}, b"hello"),
    ({}, b"#decimalid"),
    ({"receipt_ids": "padded"}, b"hello"),
    ({}, b"#paddedid"),
]


@pytest.mark.parametrize(("dialect", "body"), IDS)
async def test_ids_of_answer_and_receipt_differ_in_their_writing_alone(
    rig: Rig, dialect: dict[str, Any], body: bytes
) -> None:
    await rig.dialect(**dialect)
    message_id, receipt = await report(rig, body)
    written = words(receipt)["id"].decode()
    assert int(written) == int(message_id, 16)
    assert written.startswith("0000") == ("padded" in str((dialect, body)))
    assert receipt.tlvs[Tag.RECEIPTED_MESSAGE_ID] == f"{written}\0".encode()


async def test_ids_are_decimal_in_both_where_it_is_said(rig: Rig) -> None:
    await rig.dialect(answer_ids="decimal", receipt_ids="decimal")
    message_id, receipt = await report(rig, b"hello")
    assert message_id.isdecimal()
    assert words(receipt)["id"].decode() == message_id


@pytest.mark.parametrize(("dialect", "body"), [({"dates": "seconds"}, b"hello"), ({}, b"#seconds")])
async def test_dates_with_seconds(rig: Rig, dialect: dict[str, Any], body: bytes) -> None:
    assert len(words((await report(rig, b"plain"))[1])["done"]) == 10
    await rig.dialect(**dialect)
    found = words((await report(rig, body))[1])
    assert len(found["submit"]) == len(found["done"]) == 12


@pytest.mark.parametrize(("dialect", "body"), [({"text_word": "Text"}, b"hello"), ({}, b"#capital")])
async def test_a_capital_text(rig: Rig, dialect: dict[str, Any], body: bytes) -> None:
    assert words((await report(rig, b"plain"))[1])["word"] == b"text"
    await rig.dialect(**dialect)
    assert words((await report(rig, body))[1])["word"] == b"Text"


@pytest.mark.parametrize(("dialect", "body"), [({"receipt_as": "tlv"}, b"hello"), ({}, b"#tlvonly")])
async def test_parameters_without_words(rig: Rig, dialect: dict[str, Any], body: bytes) -> None:
    await rig.dialect(**dialect)
    message_id, receipt = await report(rig, body)
    assert receipt.short_message == b""
    assert receipt.tlvs == {Tag.RECEIPTED_MESSAGE_ID: f"{message_id}\0".encode(), Tag.MESSAGE_STATE: b"\x02"}


@pytest.mark.parametrize(("dialect", "body"), [({"receipt_as": "text"}, b"hello"), ({}, b"#textonly")])
async def test_words_without_parameters(rig: Rig, dialect: dict[str, Any], body: bytes) -> None:
    await rig.dialect(**dialect)
    message_id, receipt = await report(rig, body)
    assert words(receipt)["id"].decode() == message_id
    assert receipt.tlvs == {}


@pytest.mark.parametrize(("dialect", "body"), [({"receipt_line": "other"}, b"hello"), ({}, b"#otherline")])
async def test_a_receipt_over_another_line_of_the_system(rig: Rig, dialect: dict[str, Any], body: bytes) -> None:
    await rig.dialect(**dialect)
    sender, stranger, other = await rig.bound(), await rig.bound(system_id="globex"), await rig.bound()
    answer = await sender.submit(body, registered_delivery=1)
    receipt = await other.delivered()
    assert receipt.tlvs[Tag.RECEIPTED_MESSAGE_ID] == f"{answer.message_id}\0".encode()
    assert await sender.passed() == await stranger.passed() == []


async def test_the_only_line_is_as_good_as_another(rig: Rig) -> None:
    _, receipt = await report(rig, b"#otherline")
    assert receipt.esm_class == 0x04


ASKED = [({}, 0x01, 0), ({}, 0x11, 1), ({}, 0x10, 1), ({"interim": True}, 0x01, 1), ({"interim": True}, 0x00, 0)]


@pytest.mark.parametrize(("dialect", "registered_delivery", "notified"), ASKED)
async def test_an_intermediate_notification(
    rig: Rig, dialect: dict[str, Any], registered_delivery: int, notified: int
) -> None:
    await rig.dialect(**dialect)
    esme = await rig.bound()
    esme.send(esme.submit_sm(b"hello", registered_delivery=registered_delivery))
    _, *reports = await esme.passed()
    interim = [pdu for pdu in reports if isinstance(pdu, DeliverSm) and pdu.esm_class == 0x20]
    assert len(interim) == notified
    assert len(reports) == notified + registered_delivery % 2
    for pdu in interim:
        assert b"stat:ENROUTE err:000" in pdu.short_message
        assert pdu.tlvs[Tag.MESSAGE_STATE] == b"\x01"


LONG = "A long reply, one sentence after another. " * 5


@pytest.mark.parametrize("joined", ["udh8", "udh16", "sar"])
async def test_parts_of_a_long_reply(rig: Rig, joined: str) -> None:
    await rig.dialect(reply_parts=joined)
    esme = await rig.bound()
    typed = await rig.type(LONG)
    first, second = [await esme.delivered() for _ in range(2)]
    reference = typed["index"]
    header = {"udh8": bytes((5, 0, 3, reference, 2)), "udh16": bytes((6, 8, 4, 0, reference, 2)), "sar": b""}[joined]
    for number, part in enumerate((first, second), 1):
        assert part.esm_class == (0 if joined == "sar" else 0x40)
        if joined == "sar":
            marks = (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)
            assert [part.tlvs[tag] for tag in marks] == [bytes((0, reference)), b"\x02", bytes((number,))]
        else:
            assert part.short_message.startswith(header + bytes((number,)))
    cut = len(header) + (1 if header else 0)
    assert (first.short_message[cut:] + second.short_message[cut:]).decode() == LONG
    await esme.passed()
    [reply] = await rig.get(f"/handsets/{HANDSET}/replies")
    assert reply["state"] == "answered"


async def test_a_long_reply_in_one_message_payload(rig: Rig) -> None:
    await rig.dialect(reply_parts="payload")
    esme = await rig.bound()
    typed = await rig.type(LONG)
    whole = await esme.delivered()
    assert (whole.esm_class, whole.short_message) == (0, b"")
    assert whole.tlvs[Tag.MESSAGE_PAYLOAD].decode() == LONG
    assert whole.tlvs[Tag.RECEIPTED_MESSAGE_ID] == typed["message_ids"][0].encode() + b"\0"
    await esme.passed()
    [reply] = await rig.get(f"/handsets/{HANDSET}/replies")
    assert (reply["state"], reply["sends"]) == ("answered", 1)


CODINGS = [
    ("gsm7", "{ok} €", 0, b"\x1b(ok\x1b) \x1be"),
    ("ascii", "{ok}", 1, b"{ok}"),
    ("latin1", "ça va ¼", 3, b"\xe7a va \xbc"),
    ("binary", "00 ff 10", 4, b"\x00\xff\x10"),
    ("ucs2", "ok", 8, b"\0o\0k"),
]


@pytest.mark.parametrize(("encoding", "body", "data_coding", "octets"), CODINGS)
async def test_a_reply_in_each_coding(rig: Rig, encoding: str, body: str, data_coding: int, octets: bytes) -> None:
    esme = await rig.bound()
    await rig.http.post(f"/handsets/{HANDSET}/reply", json={"body": body, "to": NUMBER, "encoding": encoding})
    pdu = await esme.delivered()
    assert (pdu.data_coding, pdu.short_message) == (data_coding, octets)


@pytest.mark.parametrize(("encoding", "body"), [("gsm7", "да"), ("ascii", "ä"), ("latin1", "€"), ("binary", "xyz")])
async def test_a_reply_that_is_not_of_its_encoding_is_refused(rig: Rig, encoding: str, body: str) -> None:
    answer = await rig.http.post(f"/handsets/{HANDSET}/reply", json={"body": body, "to": NUMBER, "encoding": encoding})
    assert answer.status_code == 400


async def test_a_long_reply_cuts_no_surrogate_pair_whatever_its_coding(rig: Rig) -> None:
    esme = await rig.bound()
    body = "a" * 66 + "🎁" + "b" * 10
    await rig.http.post(f"/handsets/{HANDSET}/reply", json={"body": body, "to": NUMBER, "encoding": "ucs2"})
    parts = [(await esme.delivered()).short_message[6:].decode("utf-16-be") for _ in range(2)]
    assert parts == ["a" * 66, "🎁" + "b" * 10]


ALPHABETS = [("gsm7", "@ü", b"\x00\x7e"), ("latin1", "à?", b"\xe0?"), ("ascii", "{ok}", b"{ok}")]


@pytest.mark.parametrize(("alphabet", "body", "octets"), ALPHABETS)
async def test_what_data_coding_0_means(rig: Rig, alphabet: str, body: str, octets: bytes) -> None:
    await rig.dialect(alphabet=alphabet)
    await (await rig.bound()).submit(octets)
    assert await rig.bodies() == [body]


async def test_packed_septets_both_ways() -> None:
    async with running(dialect=Dialect(packed=True)) as rig:
        esme = await rig.bound()
        # "hello" and "a" as 3GPP TS 23.038 section 6.1.2.1 packs them; behind a header of 6 octets one bit is filled.
        await esme.submit(bytes.fromhex("e8329bfd06"))
        await esme.submit(b"\x05\x00\x03\x07\x02\x01" + bytes.fromhex("d06536fb0d"), esm_class=0x40)
        await esme.submit(b"\x05\x00\x03\x07\x02\x02" + b"\xc2", esm_class=0x40)
        assert await rig.bodies() == ["hello", "helloa"]
        await rig.type("hello")
        assert (await esme.delivered()).short_message == bytes.fromhex("e8329bfd06")


async def test_a_dialect_that_is_none_is_refused(rig: Rig) -> None:
    answer = await rig.http.put("/dialect", json={"receipt_ids": "octal"})
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("receipt_ids: ")
    assert (await rig.get("/dialect"))["receipt_ids"] == "hex"
