"""Octets to PDUs and back (SMPP 3.4 sections 3 and 4), pure, for both ends of a line."""

import struct
from collections.abc import Callable
from operator import attrgetter
from typing import Any

from msgspec.structs import fields

from smsdesk.carriers.smpp.pdu import PDUS, RESPONSE_BIT, BindResp, Pdu, SubmitSmResp
from smsdesk.carriers.smpp.status import Status

MAX_PDU = 64 * 1024
"""Octets. The largest legal message_payload is 64K - 1; nobody sends one, and a length beyond is noise."""
MAX_SHORT_MESSAGE = 254

_HEADER = struct.Struct(">IIII")
_TLV = struct.Struct(">HH")


class PduError(ValueError):
    """What arrived is no PDU. It says what to answer with, and keeps what arrived well before it.

    `command_id` and `sequence_number` are those of the header, `command_status` is for the generic_nack (section 4.3),
    or for the answer of the request's own kind. `pdus` are the PDUs that the same feed had read before. After a `fatal`
    one the stream has lost its frame and must be closed; after another one `feed(b"")` goes on.
    """

    def __init__(self, problem: str, header: tuple[int, int], command_status: int, *, fatal: bool = False) -> None:
        super().__init__(problem)
        self.command_id, self.sequence_number = header
        self.command_status = command_status
        self.fatal = fatal
        self.pdus: list[Pdu] = []

    @property
    def is_response(self) -> bool:
        """A response is never answered, so that two confused ends do not answer each other for ever."""
        return bool(self.command_id & RESPONSE_BIT)


class _Layout:
    """How one class of PDU is written, read from its declaration."""

    __slots__ = ("bare_when_refused", "cls", "has_message", "has_tlvs", "kinds", "strings", "template", "values")

    def __init__(self, cls: type[Pdu]) -> None:
        body = fields(cls)[2:]  # the header has the first two
        plain = [field.name for field in body if field.type in (str, int)]
        self.cls = cls
        self.kinds = tuple(field.type for field in body)
        self.template = "".join("%s\0" if kind is str else "%c" for kind in self.kinds if kind in (str, int))
        self.strings = self.kinds.count(str)
        self.values = _getter(plain)
        self.has_message = bytes in self.kinds
        self.has_tlvs = bool(body) and body[-1].name == "tlvs"
        self.bare_when_refused = issubclass(cls, (BindResp, SubmitSmResp))


def _getter(names: list[str]) -> Callable[[Pdu], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    if names:
        only = attrgetter(names[0])
        return lambda pdu: (only(pdu),)
    return lambda _: ()


_LAYOUTS = {cls: _Layout(cls) for cls in PDUS}
_BY_COMMAND_ID = {cls.command_id: layout for cls, layout in _LAYOUTS.items()}


def encode(pdu: Pdu) -> bytes:
    """Writes a PDU. ValueError where a value has no place on the wire: a zero octet or a character beyond Latin-1 in a
    string, a number over its octets, a short_message over 254 octets (section 4.4.1)."""
    layout = _LAYOUTS[type(pdu)]
    try:
        body = b"" if layout.bare_when_refused and pdu.command_status else _encode_body(layout, pdu)
        return _HEADER.pack(16 + len(body), pdu.command_id, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, OverflowError) as error:
        raise ValueError(f"{type(pdu).__name__}: {error}") from None


def _encode_body(layout: _Layout, pdu: Any) -> bytes:
    values = layout.values(pdu)
    text = layout.template % values
    # Each string ends with a zero and each number 0 is one: any further zero would cut a string short.
    if text.count("\0") != layout.strings + values.count(0):
        raise ValueError(f"{type(pdu).__name__}: a string contains a zero octet")
    body = text.encode("latin-1")
    if layout.has_message:
        message = pdu.short_message
        if len(message) > MAX_SHORT_MESSAGE:
            raise ValueError(f"short_message has {len(message)} octets, the limit is 254: use message_payload")
        body += bytes((len(message),)) + message
    if layout.has_tlvs and pdu.tlvs:
        body += b"".join([_TLV.pack(tag, len(value)) + value for tag, value in pdu.tlvs.items()])
    return body


class Framer:
    """Cuts a stream of octets into PDUs, however it was cut on its way."""

    def __init__(self, limit: int = MAX_PDU) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._need = 16

    def feed(self, data: bytes) -> list[Pdu]:
        """Takes what arrived and gives the PDUs that are whole now. Any octets give PDUs or PduError, which
        carries the PDUs read before it; nothing else is raised, and at most one PDU's octets are kept."""
        self._buffer += data
        if len(self._buffer) < self._need:
            return []
        octets, at = bytes(self._buffer), 0
        self._need = 16
        pdus: list[Pdu] = []
        try:
            while len(octets) - at >= 16:
                length = self._length(octets, at)
                if at + length > len(octets):
                    self._need = length
                    break
                start, at = at, at + length
                pdus.append(_decode(octets, start, at))
        except PduError as problem:
            problem.pdus = pdus
            raise
        finally:
            del self._buffer[:at]
        return pdus

    def _length(self, octets: bytes, at: int) -> int:
        length, command_id, _, sequence_number = _HEADER.unpack_from(octets, at)
        if 16 <= length <= self._limit:
            return int(length)
        problem = f"command_length {length} is not in 16..{self._limit}"
        raise PduError(problem, (command_id, sequence_number), Status.RINVCMDLEN, fatal=True)


def decode(octets: bytes) -> Pdu:
    """Reads exactly one PDU. PduError for anything else."""
    if len(octets) < 16:
        raise PduError(f"{len(octets)} octets, a header has 16", (0, 0), Status.RINVCMDLEN, fatal=True)
    length, command_id, _, sequence_number = _HEADER.unpack_from(octets)
    if length != len(octets):
        problem = f"command_length {length}, but {len(octets)} octets"
        raise PduError(problem, (command_id, sequence_number), Status.RINVCMDLEN, fatal=True)
    return _decode(octets, 0, length)


def _decode(octets: bytes, start: int, end: int) -> Pdu:
    _, command_id, command_status, sequence_number = _HEADER.unpack_from(octets, start)
    layout = _BY_COMMAND_ID.get(command_id)
    if layout is None:
        problem = f"unknown command_id 0x{command_id:08X}"
        raise PduError(problem, (command_id, sequence_number), Status.RINVCMDID)
    try:
        values = _decode_body(layout, octets[start + 16 : end])
    except (ValueError, IndexError, struct.error) as error:
        # Refusals come without a body (section 4.4.2), from some vendors with half of one: the status says it all.
        if not command_id & RESPONSE_BIT or (command_status == 0 and end - start > 16):
            problem = f"{layout.cls.__name__}: {error}"
            raise PduError(problem, (command_id, sequence_number), Status.RINVCMDLEN) from None
        values = []
    return layout.cls(sequence_number, command_status, *values)


def _decode_body(layout: _Layout, body: bytes) -> list[Any]:
    """Octets after the last field of a PDU without optional parameters are ignored (forward compatibility, 3.3)."""
    text, at = body.decode("latin-1"), 0
    values: list[Any] = []
    for kind in layout.kinds:
        if kind is str:
            end = text.index("\0", at)
            values.append(text[at:end])
            at = end + 1
        elif kind is int:
            values.append(body[at])
            at += 1
        elif kind is bytes:
            at, start = at + 1 + body[at], at + 1
            if at > len(body):
                raise ValueError("short_message is shorter than sm_length")
            values.append(body[start:at])
        else:
            values.append(_decode_tlvs(body, at))
    return values


def _decode_tlvs(body: bytes, at: int) -> dict[int, bytes]:
    """Of a tag that comes twice the last counts."""
    tlvs = {}
    while at < len(body):
        tag, length = _TLV.unpack_from(body, at)
        start, at = at + 4, at + 4 + length
        if at > len(body):
            raise ValueError(f"optional parameter 0x{tag:04X} is shorter than its length")
        tlvs[tag] = body[start:at]
    return tlvs
