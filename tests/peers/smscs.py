"""The two SMSCs that others wrote: smpp34's server, in this process, and that of smpp.twisted3, in its own."""

import asyncio
import itertools
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import smpp34

from tests.kit.processes import free_port
from tests.peers.foreign import PASSWORD, PATIENCE, SYSTEM_ID, Bound, Delivery, ForeignSmsc, Query, Submit

MANDATORY = (
    "service_type", "source_addr_ton", "source_addr_npi", "source_addr", "dest_addr_ton", "dest_addr_npi",
    "destination_addr", "esm_class", "protocol_id", "registered_delivery", "data_coding", "short_message",
)  # fmt: skip
OPEN_TO_US = {"system_id": SYSTEM_ID, "password": PASSWORD, "max_bindings": 20, "refused_binds": 0}


class Smpp34Smsc(ForeignSmsc):
    """The server of smpp34."""

    def __init__(self) -> None:
        super().__init__()
        self._server: smpp34.Server | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Smpp34Smsc"]:
        """Serves in this block."""
        self.port = free_port()
        self._server = smpp34.Server("127.0.0.1", self.port, system_id="FOREIGN")
        await self._server.start()
        pulling = asyncio.create_task(self._pull(self._server))
        try:
            yield self
        finally:
            pulling.cancel()
            await asyncio.wait({pulling})
            await self._server.stop()

    async def _pull(self, server: smpp34.Server) -> None:
        while True:
            event = await server.next()
            if isinstance(event, smpp34.Esme):
                self._note_bound(Bound(event, "" if event.can_receive else "transmitter"))
            elif isinstance(event, smpp34.SubmitSmEvent):
                fields: dict[str, Any] = {name: getattr(event, name) for name in MANDATORY}
                tlvs = {tlv.tag: tlv.value for tlv in event.tlvs}
                self.submits.put_nowait(
                    Submit(session=event.session_id, tlvs=tlvs, accept=event.accept, reject=event.reject, **fields)
                )
            else:
                self._note_unbound(event.session_id)

    def _note_unbound(self, session: Any) -> None:
        super()._note_unbound(next((b.session for b in self.sessions if b.session.session_id == session), None))

    async def deliver(self, delivery: Delivery) -> int:
        esme = next(bound.session for bound in reversed(self.sessions) if bound.session.can_receive)
        answer = await esme.deliver_sm(
            delivery.destination_addr,
            delivery.short_message,
            source_addr=delivery.source_addr,
            source_addr_ton=1,
            source_addr_npi=1,
            esm_class=delivery.esm_class,
            data_coding=delivery.data_coding,
            tlvs=[smpp34.Tlv(tag, value) for tag, value in delivery.tlvs.items()],
        )
        status: int = answer.command_status
        return status

    async def enquire(self) -> int:
        raise NotImplementedError("smpp34's server sends enquire_link after 30 s of its own, not when asked")

    async def refuse_query(self) -> None:
        return  # as it refuses all of them

    async def unbind(self) -> None:
        await self.sessions[-1].session.unbind()


class TwistedProcess:
    """The process of `twisted_smsc.py`, which has room for many SMSCs, one after the other or at once."""

    def __init__(self) -> None:
        self.control = socket.create_server(("127.0.0.1", 0))
        self.control.setblocking(False)  # Twisted takes connections until there are none

    @contextmanager
    def running(self) -> Iterator["TwistedProcess"]:
        """Runs in this block."""
        script = Path(__file__).with_name("twisted_smsc.py")
        listening = self.control.fileno()
        command = [sys.executable, str(script), str(listening)]
        with self.control, subprocess.Popen(command, pass_fds=[listening], stdout=subprocess.DEVNULL) as process:
            try:
                yield self
            finally:
                process.kill()

    @asynccontextmanager
    async def smsc(self, **settings: Any) -> AsyncIterator["TwistedSmsc"]:
        """An SMSC of its own for this block; `refused_binds` is how many binds it refuses at first, `max_bindings` how
        many it takes, `password` what it wants with them; the others are settings of the library."""
        reader, writer = await asyncio.open_connection(*self.control.getsockname())
        smsc = TwistedSmsc(writer)
        listening = asyncio.create_task(smsc.listen(reader))
        try:
            await smsc.open(
                {"system_id": SYSTEM_ID, "password": PASSWORD, "max_bindings": 20, "refused_binds": 0} | settings
            )
            yield smsc
        finally:
            writer.close()
            listening.cancel()
            await asyncio.wait({listening})
        if not listening.cancelled():
            listening.result()


class TwistedSmsc(ForeignSmsc):
    """The server of smpp.twisted3, seen from the test's end of its control connection."""

    def __init__(self, control: asyncio.StreamWriter) -> None:
        super().__init__()
        self._control = control
        self._numbers = itertools.count(1)
        self._open: dict[int, asyncio.Future[int]] = {0: asyncio.get_running_loop().create_future()}

    async def open(self, settings: dict[str, Any]) -> None:
        """Has it listen; `port` is known then."""
        self._write(settings)
        self.port = await asyncio.wait_for(self._open[0], PATIENCE)

    async def listen(self, reader: asyncio.StreamReader) -> None:
        """Takes what it tells until it ends."""
        while line := await reader.readline():
            told = json.loads(line)
            getattr(self, f"_on_{told.pop('event')}")(**told)

    def _on_listening(self, port: int) -> None:
        self._open[0].set_result(port)

    def _on_bound(self, session: int, kind: str) -> None:
        self._note_bound(Bound(session, kind.removeprefix("bind_")))

    def _on_unbound(self, session: int) -> None:
        self._note_unbound(session)

    def _on_submit(self, number: int, session: int, tlvs: dict[str, str], **fields: Any) -> None:
        told = {name: fields[name] for name in MANDATORY} | {"short_message": bytes.fromhex(fields["short_message"])}
        octets = {int(tag): bytes.fromhex(digits) for tag, digits in tlvs.items()}

        def accept(message_id: str) -> None:
            self._write({"do": "answer", "number": number, "status": 0, "message_id": message_id})

        def reject(status: int) -> None:
            self._write({"do": "answer", "number": number, "status": status})

        self.submits.put_nowait(Submit(session=session, tlvs=octets, accept=accept, reject=reject, **told))

    def _on_query(self, number: int, message_id: str) -> None:
        def answer(status: int, state: int) -> None:
            wanted = {"number": number, "status": status, "message_id": message_id, "state": state}
            self._write({"do": "answer", **wanted})

        self.queries.put_nowait(Query(message_id, answer))

    def _on_done(self, re: int, status: int) -> None:
        self._open.pop(re).set_result(status)

    def _on_failed(self, re: int, why: str) -> None:
        self._open.pop(re).set_exception(AssertionError(why))

    async def deliver(self, delivery: Delivery) -> int:
        session = next(bound.session for bound in reversed(self.sessions) if bound.kind != "transmitter")
        octets = {tag: value.hex() for tag, value in delivery.tlvs.items()}
        told = {**vars(delivery), "short_message": delivery.short_message.hex(), "tlvs": octets}
        return await self._ask("deliver", session, delivery=told)

    async def enquire(self) -> int:
        return await self._ask("enquire", self.sessions[-1].session)

    async def refuse_query(self) -> None:
        (await self.queried()).answer(0x67, 7)

    async def unbind(self) -> None:
        await self._ask("unbind", self.sessions[-1].session)

    async def _ask(self, what: str, session: int, **more: Any) -> int:
        number = next(self._numbers)
        answered = self._open[number] = asyncio.get_running_loop().create_future()
        self._write({"do": what, "re": number, "session": session, **more})
        return await asyncio.wait_for(answered, PATIENCE)

    def _write(self, wanted: dict[str, Any]) -> None:
        self._control.write(json.dumps(wanted).encode() + b"\n")
