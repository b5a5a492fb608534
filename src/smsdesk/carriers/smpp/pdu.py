"""The PDUs of SMPP 3.4 (section 4) as values, for both ends of a line.

The fields of a class stand in the order of the wire, and their types say how they are written: `str` is a C-Octet
String (Latin-1, ended by a zero octet), `int` one octet, `bytes` the pair sm_length and short_message, `dict` the
optional parameters (section 5.3). The codec reads its layout from here, so a new PDU is a class and nothing else.
"""

from enum import IntEnum
from typing import ClassVar

from msgspec import Struct

INTERFACE_VERSION = 0x34
MAX_SEQUENCE_NUMBER = 0x7FFFFFFF
RESPONSE_BIT = 0x80000000


class Tag(IntEnum):
    """Optional parameter tags that this project reads or writes (section 5.3.2); any other passes as a number."""

    RECEIPTED_MESSAGE_ID = 0x001E
    ADDITIONAL_STATUS_INFO_TEXT = 0x001D
    USER_MESSAGE_REFERENCE = 0x0204
    SAR_MSG_REF_NUM = 0x020C
    SAR_TOTAL_SEGMENTS = 0x020E
    SAR_SEGMENT_SEQNUM = 0x020F
    SC_INTERFACE_VERSION = 0x0210
    NETWORK_ERROR_CODE = 0x0423
    MESSAGE_PAYLOAD = 0x0424
    DELIVERY_FAILURE_REASON = 0x0425
    MESSAGE_STATE = 0x0427


class Pdu(Struct, frozen=True, gc=False):
    """What every PDU has: the header (section 3.2) without its length."""

    command_id: ClassVar[int]
    response: ClassVar[type["Pdu"] | None] = None
    """The PDU that answers this one."""

    sequence_number: int = 0
    command_status: int = 0


class GenericNack(Pdu, frozen=True, gc=False):
    """Section 4.3: the answer to what could not be read."""

    command_id = 0x80000000


class BindResp(Pdu, frozen=True, gc=False):
    """Sections 4.1.2, 4.1.4, 4.1.6. Without a body where the bind was refused."""

    system_id: str = ""
    tlvs: dict[int, bytes] = {}


class BindReceiverResp(BindResp, frozen=True, gc=False):
    command_id = 0x80000001


class BindTransmitterResp(BindResp, frozen=True, gc=False):
    command_id = 0x80000002


class BindTransceiverResp(BindResp, frozen=True, gc=False):
    command_id = 0x80000009


class Bind(Pdu, frozen=True, gc=False):
    """Sections 4.1.1, 4.1.3, 4.1.5. The password is in no repr."""

    system_id: str = ""
    password: str = ""
    system_type: str = ""
    interface_version: int = INTERFACE_VERSION
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(sequence_number={self.sequence_number}, system_id={self.system_id!r})"


class BindReceiver(Bind, frozen=True, gc=False):
    command_id = 0x00000001
    response = BindReceiverResp


class BindTransmitter(Bind, frozen=True, gc=False):
    command_id = 0x00000002
    response = BindTransmitterResp


class BindTransceiver(Bind, frozen=True, gc=False):
    command_id = 0x00000009
    response = BindTransceiverResp


class Outbind(Pdu, frozen=True, gc=False):
    """Section 4.1.7: an SMSC asks an ESME to bind. It has no answer. The password is in no repr."""

    command_id = 0x0000000B
    system_id: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"Outbind(sequence_number={self.sequence_number}, system_id={self.system_id!r})"


class UnbindResp(Pdu, frozen=True, gc=False):
    command_id = 0x80000006


class Unbind(Pdu, frozen=True, gc=False):
    """Section 4.2: either side ends the session."""

    command_id = 0x00000006
    response = UnbindResp


class EnquireLinkResp(Pdu, frozen=True, gc=False):
    command_id = 0x80000015


class EnquireLink(Pdu, frozen=True, gc=False):
    """Section 4.11: either side asks whether the other lives."""

    command_id = 0x00000015
    response = EnquireLinkResp


class SubmitSmResp(Pdu, frozen=True, gc=False):
    """Section 4.4.2. Without a body where the message was refused; the optional parameters are those of vendors."""

    command_id = 0x80000004
    message_id: str = ""
    tlvs: dict[int, bytes] = {}


class DeliverSmResp(Pdu, frozen=True, gc=False):
    """Section 4.6.2: `message_id` is unused and empty."""

    command_id = 0x80000005
    message_id: str = ""
    tlvs: dict[int, bytes] = {}


class DataSmResp(Pdu, frozen=True, gc=False):
    """Section 4.7.2."""

    command_id = 0x80000103
    message_id: str = ""
    tlvs: dict[int, bytes] = {}


class ShortMessage(Pdu, frozen=True, gc=False):
    """The shape that submit_sm (section 4.4.1) and deliver_sm (section 4.6.1) share."""

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""
    tlvs: dict[int, bytes] = {}


class SubmitSm(ShortMessage, frozen=True, gc=False):
    command_id = 0x00000004
    response = SubmitSmResp


class DeliverSm(ShortMessage, frozen=True, gc=False):
    command_id = 0x00000005
    response = DeliverSmResp


class DataSm(Pdu, frozen=True, gc=False):
    """Section 4.7.1, in both directions. The text is the optional parameter message_payload."""

    command_id = 0x00000103
    response = DataSmResp
    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    registered_delivery: int = 0
    data_coding: int = 0
    tlvs: dict[int, bytes] = {}


class AlertNotification(Pdu, frozen=True, gc=False):
    """Section 4.12.1: a phone can be reached again. It has no answer."""

    command_id = 0x00000102
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    esme_addr_ton: int = 0
    esme_addr_npi: int = 0
    esme_addr: str = ""
    tlvs: dict[int, bytes] = {}


class QuerySmResp(Pdu, frozen=True, gc=False):
    """Section 4.8.2."""

    command_id = 0x80000003
    message_id: str = ""
    final_date: str = ""
    message_state: int = 0
    error_code: int = 0


class QuerySm(Pdu, frozen=True, gc=False):
    """Section 4.8.1."""

    command_id = 0x00000003
    response = QuerySmResp
    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""


class CancelSmResp(Pdu, frozen=True, gc=False):
    command_id = 0x80000008


class CancelSm(Pdu, frozen=True, gc=False):
    """Section 4.9.1."""

    command_id = 0x00000008
    response = CancelSmResp
    service_type: str = ""
    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""


PDUS: tuple[type[Pdu], ...] = (
    GenericNack,
    BindReceiver,
    BindReceiverResp,
    BindTransmitter,
    BindTransmitterResp,
    BindTransceiver,
    BindTransceiverResp,
    Outbind,
    Unbind,
    UnbindResp,
    EnquireLink,
    EnquireLinkResp,
    SubmitSm,
    SubmitSmResp,
    DeliverSm,
    DeliverSmResp,
    DataSm,
    DataSmResp,
    AlertNotification,
    QuerySm,
    QuerySmResp,
    CancelSm,
    CancelSmResp,
)
