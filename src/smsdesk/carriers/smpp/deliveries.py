"""What the network sends over one session: read, handed to the sink, and answered once it is stored."""

import asyncio
from collections.abc import Callable
from functools import partial

from smsdesk.carriers.contract import Receipt
from smsdesk.carriers.smpp.account import Account
from smsdesk.carriers.smpp.inbound import read_inbound
from smsdesk.carriers.smpp.pdu import DataSm, DeliverSm
from smsdesk.carriers.smpp.status import Status

_MOST = 1000
"""Deliveries that may wait to be stored. More are refused for now: the SMSC keeps and repeats them."""

Delivery = DeliverSm | DataSm


class Deliveries:
    """The deliveries of one session that are not stored yet. `answer` writes the answer to one, with its
    command_status; `stored` is called after each."""

    def __init__(
        self, account: Account, session: str, answer: Callable[[Delivery, int], None], stored: Callable[[], None]
    ) -> None:
        self._account = account
        self._session = session
        self._answer = answer
        self._wake = stored
        self._open: set[int] = set()

    def idle(self) -> bool:
        """Whether all that came is answered."""
        return not self._open

    def receive(self, pdu: Delivery) -> None:
        """Takes one in, or refuses it for now."""
        number = pdu.sequence_number
        if number in self._open:
            return  # repeated while the first is being stored: one answer serves both
        if len(self._open) >= _MOST:
            self._answer(pdu, Status.RX_T_APPN)
            return
        fact = read_inbound(pdu, self._session, self._account.config)
        if fact is None:
            self._account.log.warning("smpp receipt that names no message", sequence_number=number)
            self._answer(pdu, Status.ROK)  # to refuse it would bring it back for ever
            return
        self._open.add(number)
        sink = self._account.sink
        future = sink.receipt(fact) if isinstance(fact, Receipt) else sink.reply(fact)
        future.add_done_callback(partial(self._stored, pdu))

    def _stored(self, pdu: Delivery, stored: asyncio.Future[None]) -> None:
        """Only what is on disk is taken from the SMSC: it repeats what was not answered, or answered 0x64."""
        self._open.discard(pdu.sequence_number)
        if stored.cancelled() or stored.exception() is not None:
            self._account.log.error("smpp delivery not stored", sequence_number=pdu.sequence_number)
            self._answer(pdu, Status.RX_T_APPN)
        else:
            self._answer(pdu, Status.ROK)
        self._wake()
