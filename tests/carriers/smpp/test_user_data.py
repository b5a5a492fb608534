"""What a text becomes on the wire at carriers that want it otherwise, read back by independent means."""

from typing import Any

import gsm0338
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsdesk.carriers.contract import Reply
from smsdesk.carriers.smpp.inbound import read_inbound
from smsdesk.carriers.smpp.pdu import DeliverSm, Tag
from smsdesk.carriers.smpp.user_data import TooLong, UserData, write_user_data
from smsdesk.domain.gsm import pack, to_septets, unpack
from smsdesk.domain.segments import segment

from .rig import config, outbound


def written(body: str, text_id: int = 0x1234A, **quirks: Any) -> list[UserData]:
    return write_user_data(outbound(text_id, body), config(2775, **quirks))


def read(message: UserData, **quirks: Any) -> Reply:
    pdu = DeliverSm(
        1,
        esm_class=message.esm_class,
        data_coding=message.data_coding,
        short_message=message.short_message,
        tlvs=message.tlvs,
    )
    reply = read_inbound(pdu, "s", config(2775, **quirks))
    assert isinstance(reply, Reply)
    return reply


FORMS: list[dict[str, Any]] = [{"long_texts": form} for form in ("udh8", "udh16", "sar", "payload")]
QUIRKS: list[dict[str, Any]] = [
    {},
    {"gsm7_packed": True},
    {"default_alphabet": "latin1"},
    {"default_alphabet": "ascii", "data_coding": 1},
    {"ucs2_data_coding": 0x18},
]


@settings(deadline=None)
@given(
    st.text("aZ{~€é@\n😀ж", max_size=400) | st.text("ab{", min_size=150, max_size=330),
    st.sampled_from(FORMS),
    st.sampled_from(QUIRKS),
)
def test_every_form_is_read_back_whole(body: str, form: dict[str, Any], quirk: dict[str, Any]) -> None:
    quirks = form | quirk
    if "gsm7_packed" in quirks:
        body = body.replace("@", "a")  # at the very end it may be taken for nothing, see below
    parts = len(segment(body).parts)
    try:
        messages = written(body, **quirks)
    except TooLong:
        assert "default_alphabet" in quirks
        assert segment(body).encoding == "gsm7"
        return
    replies = [read(message, **quirks) for message in messages]
    assert "".join(reply.body for reply in replies) == body
    assert len(messages) == (1 if form["long_texts"] == "payload" else parts)
    places = [reply.part for reply in replies]
    if len(messages) == 1:
        assert places == [None]
    else:
        assert [place and place[1:] for place in places] == [(n, parts) for n in range(1, parts + 1)]
        assert len({place and place[0] for place in places}) == 1
    assert all(len(message.short_message) <= 254 for message in messages)


def test_a_header_with_a_wide_reference() -> None:
    first, second = written("a" * 200, long_texts="udh16")
    assert first.short_message[:7].hex() == "060804234a0201"
    assert second.short_message[:7].hex() == "060804234a0202"
    assert len(first.short_message) == 7 + 152


def test_a_wide_reference_never_makes_one_part_more() -> None:
    assert [len(message.short_message) for message in written("a" * 306, long_texts="udh16")] == [6 + 153, 6 + 153]
    assert [len(message.short_message) for message in written("ж" * 134, long_texts="udh16")] == [6 + 134, 6 + 134]


def test_sar_parameters() -> None:
    first, second = written("a" * 200, long_texts="sar")
    assert (first.esm_class, first.short_message) == (0, b"a" * 152)
    assert second.tlvs == {
        Tag.USER_MESSAGE_REFERENCE: b"\x23\x4a",
        Tag.SAR_MSG_REF_NUM: b"\x23\x4a",
        Tag.SAR_TOTAL_SEGMENTS: b"\2",
        Tag.SAR_SEGMENT_SEQNUM: b"\2",
    }


def test_a_payload_is_only_for_long_texts() -> None:
    (long,) = written("a" * 200, long_texts="payload")
    assert (long.esm_class, long.short_message, long.tlvs[Tag.MESSAGE_PAYLOAD]) == (0, b"", b"a" * 200)
    (short,) = written("hello", long_texts="payload")
    assert (short.short_message, Tag.MESSAGE_PAYLOAD in short.tlvs) == (b"hello", False)


def test_the_reference_can_be_left_out() -> None:
    assert written("hello", user_message_reference=False)[0].tlvs == {}


@pytest.mark.parametrize("alphabet", ["latin1", "ascii"])
def test_what_the_alphabet_lacks_goes_as_ucs2_where_there_is_room(alphabet: str) -> None:
    (message,) = written("5 € " + "x" * 66, default_alphabet=alphabet)
    assert message.data_coding == 8
    assert read(message).body == "5 € " + "x" * 66
    with pytest.raises(TooLong, match=rf"{alphabet} lacks U\+20AC, and in UCS-2 the text would have more parts"):
        written("5 € " + "x" * 67, default_alphabet=alphabet)


def test_latin1_writes_what_it_has() -> None:
    (message,) = written("Grüße [à] {x}", default_alphabet="latin1", data_coding=3)
    assert (message.data_coding, message.short_message) == (3, "Grüße [à] {x}".encode("latin-1"))


def test_packing_as_the_standard_does() -> None:
    """The well-known octets of `hellohello`, and a full part: 140 octets with its header."""
    assert pack(to_septets("hellohello")).hex() == "e8329bfd4697d9ec37"
    assert [len(message.short_message) for message in written("a" * 306, gsm7_packed=True)] == [140, 140]
    assert len(written("a" * 160, gsm7_packed=True)[0].short_message) == 140


@given(st.text("abcXYZ 0189@£$¥_€{}", max_size=160))
def test_septets_are_those_of_another_implementation_before_and_after_packing(body: str) -> None:
    septets = to_septets(body)
    assert septets == body.encode("gsm03.38")
    left_over = body.endswith("@") and len(septets) % 8 == 0
    assert unpack(pack(septets)) == (septets[:-1] if left_over else septets)


def test_the_other_implementation_is_there() -> None:
    assert gsm0338.Codec().decode(b"\0")[0] == "@"
