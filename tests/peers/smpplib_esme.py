"""smpplib as a peer. It reads and writes PDUs; what a user of it writes around it (joining parts, trying again, coming
back) is here, as short as it can be."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import smpplib.client
import smpplib.consts
import smpplib.exceptions
import smpplib.gsm

from smsdesk.domain.gsm import from_septets
from tests.peers.esmes import Got, Outcome

_FOR_NOW = (0x14, 0x58)
_RECEIPT, _UDHI = 0x04, 0x40
_CODECS = {1: "ascii", 3: "latin-1", 8: "utf-16-be"}
_FLASH, _BINARY = 0x10, 0x04
_RETRY_SECONDS = 0.2
_TROUBLE = (smpplib.exceptions.ConnectionError, smpplib.exceptions.PDUError, OSError, AttributeError)
"""What a client of this library raises when its connection goes; the last, when it was closed by another thread."""


class _Line(threading.Thread):
    """One client that is bound again whenever its connection ends."""

    def __init__(self, esme: "SmpplibEsme", port: int, kind: str, system_id: str) -> None:
        super().__init__()
        self._esme, self._port, self._kind, self._system_id = esme, port, kind, system_id
        self._over = threading.Event()
        self.client: Any = None

    def run(self) -> None:
        """Binds and listens until stopped."""
        while not self._over.is_set():
            client = smpplib.client.Client("127.0.0.1", self._port, timeout=1, allow_unknown_opt_params=True)
            client.set_message_received_handler(self._esme.take)
            client.set_message_sent_handler(self._esme.answered)
            client.set_error_pdu_handler(self._esme.refused)
            try:
                client.connect()
                getattr(client, f"bind_{self._kind}")(system_id=self._system_id, password="hush")
                self.client = client
                while not self._over.is_set():
                    client.read_once()
            except _TROUBLE as trouble:
                self._esme.ended(trouble)
            finally:
                self.client = None
                with suppress(*_TROUBLE):
                    client.state = smpplib.consts.SMPP_CLIENT_STATE_OPEN
                    client.disconnect()
            self._over.wait(_RETRY_SECONDS)

    def stop(self) -> None:
        """Ends it; the next thing that it reads finds the end of the line."""
        self._over.set()
        client = self.client
        if client is not None:
            with suppress(*_TROUBLE):
                client._socket.shutdown(socket.SHUT_RDWR)
        self.join()


class SmpplibEsme:
    """Three clients of smpplib: a transceiver, and a transmitter beside a receiver."""

    name = "smpplib"

    def __init__(self, port: int) -> None:
        self._ends: list[object] = []
        self._got: list[Got] = []
        self._refusals: dict[str, list[Outcome]] = {}
        self._receipts: list[tuple[str, Outcome]] = []
        self._sent: dict[tuple[Any, int], tuple[str, dict[str, Any]]] = {}
        self._ids: dict[str, str] = {}
        self._parts: dict[tuple[str, int], dict[int, tuple[int, bytes]]] = {}
        self._lock = threading.RLock()
        self._whole = _Line(self, port, "transceiver", "smpplib")
        self._out = _Line(self, port, "transmitter", "pair")
        self._in = _Line(self, port, "receiver", "pair")

    @contextmanager
    def running(self) -> Iterator["SmpplibEsme"]:
        """Its lines are up until the end of the block."""
        lines = (self._whole, self._out, self._in)
        for line in lines:
            line.start()
        try:
            yield self
        finally:
            for line in lines:
                line.stop()

    def send(self, body: str, to: str, source: str, *, line: str = "whole", kind: str = "") -> str:
        """Submits a text, and again while it is refused for now; gives a tag for its outcome."""
        tag = f"{len(self._refusals)}"
        self._refusals[tag] = []
        if kind == "binary":
            parts, coding, esm_class = [bytes.fromhex(body)], _BINARY, 0
        else:
            parts, coding, esm_class = smpplib.gsm.make_parts(body)
        fields = {
            "source_addr_ton": 1 if source.startswith("+") else 3 if source.isdigit() else 5,
            "source_addr_npi": 1 if source.startswith("+") else 0, "source_addr": source.lstrip("+"),
            "dest_addr_ton": 1, "dest_addr_npi": 1, "destination_addr": to.lstrip("+"),
            "esm_class": esm_class, "data_coding": _FLASH if kind == "flash" else coding,
        }  # fmt: skip
        for number, part in enumerate(parts, 1):
            # A receipt for the last part stands for all.
            self._submit(line, tag, fields | {"short_message": part, "registered_delivery": number == len(parts)})
        return tag

    def _submit(self, line: str, tag: str, fields: dict[str, Any]) -> None:
        client = (self._whole if line == "whole" else self._out).client
        with self._lock:
            pdu = client.send_message(**fields)
            self._sent[client, pdu.sequence] = (tag, fields)

    def ended(self, trouble: Exception) -> None:
        """A client has ended; where the SMSC said why, by a command_status."""
        self._ends.append(trouble.args[-1] if trouble.args else None)

    def answered(self, pdu: Any) -> None:
        """submit_sm_resp without an error."""
        with self._lock:
            found = self._sent.pop((pdu.client, pdu.sequence), None)
            if found and found[1]["registered_delivery"]:
                self._ids[pdu.message_id.decode()] = found[0]

    def refused(self, pdu: Any) -> None:
        """Any answer with an error."""
        with self._lock:
            tag, fields = self._sent.pop((pdu.client, pdu.sequence))
            if pdu.status not in _FOR_NOW:
                self._refusals[tag].append(Outcome("refused", f"0x{pdu.status:08x}"))
                return
        line = "whole" if pdu.client is self._whole.client else "pair"
        threading.Timer(_RETRY_SECONDS, self._submit, (line, tag, fields)).start()

    def take(self, pdu: Any) -> None:
        """A deliver_sm."""
        octets = pdu.short_message or pdu.message_payload or b""
        if pdu.esm_class & _RECEIPT:
            words = octets.decode("latin-1")
            fields = dict(re.findall(r"(\w+):(\S+)", words))
            kind = "delivered" if fields["stat"] == "DELIVRD" else "undelivered"
            self._receipts.append((fields["id"], Outcome(kind, words)))
            return
        place, octets = _place(pdu, octets)
        source = f"+{pdu.source_addr.decode()}"
        if place is not None:
            reference, number, total = place
            parts = self._parts.setdefault((source, reference), {})
            parts[number] = (total, octets)
            if len(parts) < total:
                return
            octets = b"".join(parts[each][1] for each in sorted(self._parts.pop((source, reference))))
        self._got.append(Got(source, f"+{pdu.destination_addr.decode()}", _read(octets, pdu.data_coding)))

    def outcomes(self, tag: str) -> list[Outcome]:
        """What it learned of a text so far. A receipt on one line may be read before the answer on another."""
        return self._refusals[tag] + [outcome for name, outcome in self._receipts if self._ids.get(name) == tag]

    def texts(self) -> list[Got]:
        """The texts from phones so far, in order."""
        return list(self._got)

    def refused_binds(self) -> int:
        """How often a client ended because it may not bind."""
        return self._ends.count(smpplib.consts.SMPP_ESME_RBINDFAIL)


def _place(pdu: Any, octets: bytes) -> tuple[tuple[int, int, int] | None, bytes]:
    if pdu.sar_msg_ref_num is not None:
        return (pdu.sar_msg_ref_num, pdu.sar_segment_seqnum, pdu.sar_total_segments), octets
    if not pdu.esm_class & _UDHI:
        return None, octets
    header = octets[: octets[0] + 1]
    reference = int.from_bytes(header[3:-2])
    return (reference, header[-1], header[-2]), octets[len(header) :]


def _read(octets: bytes, data_coding: int) -> str:
    if data_coding == 0:
        return from_septets(octets)
    codec = _CODECS.get(data_coding)
    return octets.decode(codec) if codec else octets.hex(" ")
