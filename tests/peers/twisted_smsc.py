"""An SMSC made of smpp.twisted3, the stack under Jasmin, run as a process of its own: Twisted wants its own loop, and
the library prints to standard output.

It serves the listening socket whose descriptor is its only argument. Each connection to it is one SMSC, which lives as
long as the connection: JSON objects, one a line. The first from the test is the library's settings, the first from here
says the SMPP port. Then events go to the test (`bound`, `unbound`, `submit`, `query`) and requests come from it; those
with a `re` are answered under that number.
"""

import json
import logging
import socket
import sys
from io import BytesIO
from typing import Any

from smpp.pdu.constants import command_status_name_map, tag_value_map
from smpp.pdu.operations import DeliverSM, EnquireLink, SubmitSM
from smpp.pdu.pdu_encoding import EsmClassEncoder, OctetStringEncoder, OptionEncoder, PDUEncoder
from smpp.pdu.pdu_types import (
    AddrNpi,
    AddrTon,
    CommandStatus,
    DataCoding,
    DataCodingScheme,
    MessageState,
    Option,
    Tag,
)
from smpp.twisted.config import SMPPServerConfig
from smpp.twisted.protocol import DataHandlerResponse
from smpp.twisted.server import IAuthenticatedSMPP, SMPPServerFactory
from twisted.cred.error import UnauthorizedLogin
from twisted.internet import defer, reactor
from twisted.internet.protocol import ServerFactory
from twisted.protocols.basic import LineOnlyReceiver

ENCODERS = PDUEncoder.DefaultRequiredParamEncoders
OPTIONS = OptionEncoder().options
STATUS_NAMES = {number: name for name, number in command_status_name_map.items()}
STRINGS = {"service_type", "source_addr", "destination_addr", "schedule_delivery_time", "validity_period"}


def told_of(pdu: Any) -> dict[str, Any]:
    """What the library read of a submit_sm, as plain values; octets as hexadecimal digits."""
    told: dict[str, Any] = {"tlvs": {}}
    for name in SubmitSM.mandatoryParams:
        octets = ENCODERS[name].encode(pdu.params[name])
        if name == "short_message":
            told[name] = octets[1:].hex()
        else:
            told[name] = octets[:-1].decode("latin-1") if name in STRINGS else octets[0]
    for name in pdu.params.keys() - set(SubmitSM.mandatoryParams):
        octets = OptionEncoder().encode(Option(getattr(Tag, name), pdu.params[name]))
        told["tlvs"][int.from_bytes(octets[:2])] = octets[4:].hex()
    return told


def written(delivery: dict[str, Any]) -> DeliverSM:
    """A deliver_sm of the library's own values. It reads and writes the optional parameters that it knows, but for
    octet strings: it gives those the length of the last one that the session has read."""
    known, others = {}, []
    for tag, digits in delivery["tlvs"].items():
        octets = bytes.fromhex(digits)
        name = tag_value_map.get(int(tag), "")
        if name in DeliverSM.optionalParams and not isinstance(OPTIONS[getattr(Tag, name)], OctetStringEncoder):
            head = int(tag).to_bytes(2) + len(octets).to_bytes(2)
            known[name] = OptionEncoder().decode(BytesIO(head + octets)).value
        else:
            others.append((int(tag), None, "OctetString", octets))
    return DeliverSM(
        source_addr_ton=AddrTon.INTERNATIONAL,
        source_addr_npi=AddrNpi.ISDN,
        source_addr=delivery["source_addr"],
        dest_addr_ton=AddrTon.INTERNATIONAL,
        dest_addr_npi=AddrNpi.ISDN,
        destination_addr=delivery["destination_addr"],
        esm_class=EsmClassEncoder()._decode(bytes([delivery["esm_class"]])),
        data_coding=DataCoding(DataCodingScheme.RAW, delivery["data_coding"]),
        short_message=bytes.fromhex(delivery["short_message"]),
        custom_tlvs=others,
        **known,
    )


class Smsc(SMPPServerFactory):
    """One SMSC of the library, which tells a test what happens to it."""

    def __init__(self, control: "Control", settings: dict[str, Any]) -> None:
        systems = {settings.pop("system_id"): {"max_bindings": settings.pop("max_bindings")}}
        self._password = settings.pop("password")
        self._refused_binds = settings.pop("refused_binds")
        super().__init__(SMPPServerConfig(systems=systems, msgHandler=self.received, **settings), self)
        self._control = control
        self._numbers = 0
        self.sessions: dict[int, Any] = {}
        self.waiting: dict[int, defer.Deferred] = {}

    def login(self, system_id: str, password: str, _: str) -> Any:
        """The library asks whether a bind may come in."""
        self._refused_binds -= 1
        if system_id not in self.config.systems or password != self._password or self._refused_binds >= 0:
            raise UnauthorizedLogin
        return defer.succeed((IAuthenticatedSMPP, None, lambda: None))

    def addBoundConnection(self, connection: Any) -> None:  # noqa: N802
        super().addBoundConnection(connection)
        connection.number = self._number()
        self.sessions[connection.number] = connection
        self._control.tell("bound", session=connection.number, kind=connection.bind_type.name)

    def removeConnection(self, connection: Any) -> None:  # noqa: N802
        super().removeConnection(connection)
        if connection.system_id is not None:
            del self.sessions[connection.number]
            self._control.tell("unbound", session=connection.number)

    def received(self, _: str, connection: Any, pdu: Any) -> defer.Deferred:
        """The library hands over a request; the test answers for it when it wants to."""
        number = self._number()
        answer = self.waiting[number] = defer.Deferred()
        if isinstance(pdu, SubmitSM):
            self._control.tell("submit", session=connection.number, number=number, **told_of(pdu))
        else:
            name = (pdu.params.get("message_id") or b"").decode("latin-1")
            self._control.tell("query", number=number, message_id=name)
        return answer

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers


class Control(LineOnlyReceiver):
    """The test's hold on one SMSC."""

    delimiter = b"\n"
    smsc: Smsc | None = None
    port: Any = None

    def tell(self, event: str, **more: Any) -> None:
        """Sends the test one object."""
        if self.transport.connected:
            self.sendLine(json.dumps({"event": event, **more}).encode())

    def lineReceived(self, line: bytes) -> None:  # noqa: N802
        wanted = json.loads(line)
        if self.smsc is None:
            self.smsc = Smsc(self, wanted)
            self.port = reactor.listenTCP(0, self.smsc, interface="127.0.0.1")
            self.tell("listening", port=self.port.getHost().port)
        else:
            getattr(self, f"do_{wanted.pop('do')}")(**wanted)

    def connectionLost(self, reason: Any = None) -> None:  # noqa: N802
        if self.port is not None:
            self.port.stopListening()
            for session in list(self.smsc.sessions.values()):
                session.transport.abortConnection()

    def do_answer(self, number: int, status: int, message_id: str = "", state: int = 0) -> None:
        """Answers a submit_sm, or a query_sm with a state."""
        more = {"final_date": None, "message_state": MessageState(state), "error_code": 0} if state else {}
        response = DataHandlerResponse(getattr(CommandStatus, STATUS_NAMES[status]), message_id=message_id, **more)
        self.smsc.waiting.pop(number).callback(response)

    def do_deliver(self, re: int, session: int, delivery: dict[str, Any]) -> None:
        """Sends a deliver_sm and tells the command_status of its answer."""
        self._request(re, self.smsc.sessions[session].sendDataRequest(written(delivery)))

    def do_enquire(self, re: int, session: int) -> None:
        """Sends an enquire_link."""
        self._request(re, self.smsc.sessions[session].sendRequest(EnquireLink(), 5))

    def do_unbind(self, re: int, session: int) -> None:
        """Unbinds and closes."""
        ended = self.smsc.sessions[session].unbindAndDisconnect()
        ended.addCallback(lambda _: self.tell("done", re=re, status=0))

    def _request(self, re: int, answer: defer.Deferred) -> None:
        def answered(result: Any) -> None:
            response = getattr(getattr(result, "value", result), "response", None)
            if response is None:
                self.tell("failed", re=re, why=str(result))
            else:
                self.tell("done", re=re, status=command_status_name_map[response.status.name])

        answer.addBoth(answered)


def main() -> None:
    """Serves until it is ended."""
    logging.getLogger("smpp").setLevel(logging.ERROR)
    factory = ServerFactory.forProtocol(Control)
    reactor.adoptStreamPort(int(sys.argv[1]), socket.AF_INET, factory)
    reactor.run()


if __name__ == "__main__":
    main()
