"""How a session gets bound (SMPP 3.4 sections 4.1 and 4.3): by our bind, or by an outbind and our bind. Pure."""

import hmac
from typing import Literal

from smsdesk.carriers.smpp.config import Config
from smsdesk.carriers.smpp.pdu import (
    Bind,
    BindReceiver,
    BindReceiverResp,
    BindResp,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    BindTransmitterResp,
    GenericNack,
    Outbind,
)
from smsdesk.carriers.smpp.status import Status, describe

Role = Literal["transceiver", "transmitter", "receiver"]

_BINDS: dict[Role, tuple[type[Bind], type[BindResp]]] = {
    "transceiver": (BindTransceiver, BindTransceiverResp),
    "transmitter": (BindTransmitter, BindTransmitterResp),
    "receiver": (BindReceiver, BindReceiverResp),
}


class Handshake:
    """What is awaited until a session is bound."""

    def __init__(self, config: Config, role: Role, *, outbind: bool, now: float) -> None:
        """With `outbind` the SMSC speaks first. `now` is when the connection came to be, in seconds."""
        self._config = config
        self._request, self._answer = _BINDS[role]
        self.awaits_outbind = outbind
        self._since = now

    def request(self, sequence_number: int) -> Bind:
        """Our bind."""
        config = self._config
        return self._request(
            sequence_number, system_id=config.system_id, password=config.password, system_type=config.system_type
        )

    def answered(self, pdu: BindResp | GenericNack) -> str | None:
        """Why we are not bound; empty where we are; None where this is no answer to our bind."""
        if self.awaits_outbind or not isinstance(pdu, (self._answer, GenericNack)):
            return None
        if isinstance(pdu, GenericNack):
            return f"bind refused: {describe(pdu.command_status or Status.RBINDFAIL)}"
        return f"bind refused: {describe(pdu.command_status)}" if pdu.command_status else ""

    def invited(self, pdu: Outbind, now: float) -> bool:
        """Whether an outbind says what it must; then our bind follows."""
        config = self._config
        said = f"{pdu.system_id}\0{pdu.password}".encode()
        if not hmac.compare_digest(said, f"{config.outbind_system_id}\0{config.outbind_password}".encode()):
            return False
        self.awaits_outbind, self._since = False, now
        return True

    def overdue(self, now: float) -> str:
        """What has been waited for too long (section 7.2, session_init_timer); empty while there is time."""
        limit = self._config.session_init_timeout
        if now - self._since < limit:
            return ""
        return f"no {'outbind' if self.awaits_outbind else 'answer to bind'} in {limit:g} s"
