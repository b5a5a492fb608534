"""The SMSC: its lines and who may bind, replies on their way to ESMEs, and the answers to them."""

import asyncio
import hmac
from functools import partial

from smsdesk.carriers.smpp.codec import encode
from smsdesk.carriers.smpp.pdu import Bind, DeliverSmResp, Outbind
from smsdesk.carriers.smpp.status import Status
from smsdesk.lab.config import LabConfig
from smsdesk.lab.delivery import Delivery, info
from smsdesk.lab.handsets import HandsetReply
from smsdesk.lab.intake import Intake
from smsdesk.lab.line import Line, LineEvents
from smsdesk.lab.network import Network
from smsdesk.lab.outbox import Outgoing
from smsdesk.lab.reading import e164
from smsdesk.lab.replies import deliver_parts
from smsdesk.lab.stats import LineInfo, Stats
from smsdesk.lab.submission import SMPP

_GIVE_UP = (Status.RX_P_APPN, Status.RX_R_APPN)
_HEADER_OCTETS = 16


class Smsc:
    """One message centre on a network."""

    def __init__(self, config: LabConfig, network: Network) -> None:
        self.config = config
        self.network = network
        self.delivery = Delivery(config.keep_texts, config.deliver_timeout, self._sent)
        self.intake = Intake(network, self.delivery, config.dialect, config.keep_texts)
        self._loop = asyncio.get_running_loop()
        self._owners = {e164(number): system_id for number, system_id in config.owners.items()}
        self._lines = 0
        self._events = LineEvents(
            opened=self._opened,
            judge_bind=self._judge_bind,
            bound=self._bound,
            hangs=lambda: network.faults.hang,
            submitted=self.intake.take,
            queried=self.intake.query,
            cancelled=self.intake.cancel,
            answered=self._answered,
            room=self.delivery.pump,
            closed=self._closed,
        )
        network.attach(SMPP, self._owners.__contains__, self._deliver)

    def new_line(self) -> Line:
        """The protocol of the next connection."""
        self._lines += 1
        return Line(self._lines, self.config, self._events)

    async def outbind(self, host: str, port: int, system_id: str, password: str) -> str:
        """Connects to an ESME and asks it to bind (SMPP 3.4 section 4.1.7); gives the line's name. OSError where
        nobody listens there."""
        _, line = await self._loop.create_connection(self.new_line, host, port)
        line.send(Outbind(0, 0, system_id, password))
        return line.name

    def _opened(self, line: Line) -> None:
        self.delivery.add(line)
        if self.network.random.random() < self.network.faults.reset_connect:
            self.network.counters.dropped_lines += 1
            line.become("resets")

    def _judge_bind(self, bind: Bind) -> int:
        """The command_status of a bind's answer."""
        faults, systems = self.network.faults, self.config.systems
        if faults.refuse_bind and self.network.random.random() < faults.refuse_bind:
            return faults.refuse_bind_status
        if systems:
            password = systems.get(bind.system_id)
            if password is None:
                return Status.RINVSYSID
            if not hmac.compare_digest(password.encode(), bind.password.encode()):
                return Status.RINVPASWD
        bound = sum(line.session != "" for line in self.delivery.of(bind.system_id))
        most = self.config.binds_per_system
        return Status.RBINDFAIL if most and bound >= most else Status.ROK

    def _bound(self, line: Line) -> None:
        self.network.feed.publish(info(line))
        self.delivery.pump(line)

    def _closed(self, line: Line) -> None:
        self.delivery.remove(line)
        line.session = ""
        self.network.feed.publish(info(line))

    def _deliver(self, reply: HandsetReply) -> None:
        """Takes a reply to the system that owns its number, as deliver_sm that wait for a line as long as they must."""
        owner, dialect = self._owner(reply.to), self.intake.dialect
        carried = len(reply.order) if dialect.reply_parts == "payload" else 1
        for pdu in deliver_parts(reply, dialect):
            self.delivery.hand_over(Outgoing(encode(pdu)[_HEADER_OCTETS:], owner, reply, carried))

    def _owner(self, number: str) -> str | None:
        if number in self._owners:
            return self._owners[number]
        via, system_id = self.network.sender(number) or ("", "")
        return system_id if via == SMPP and self.delivery.receivers(system_id) else None

    def _sent(self, line: Line, outgoing: Outgoing) -> None:
        counters, most = self.network.counters, self.network.faults.drop_after_deliver
        if outgoing.sends > 1:
            counters.repeats += 1
        elif outgoing.reply is None:
            counters.receipts += 1
        if outgoing.reply is not None:
            outgoing.reply.sends += 1
            self.network.changed(outgoing.reply)
        if most and line.delivers >= most:
            counters.dropped_lines += 1
            line.close()

    def _answered(self, line: Line, answer: DeliverSmResp) -> None:
        loss = self.network.faults.lose_deliver_answer
        if loss and self.network.random.random() < loss:
            return
        outgoing = self.delivery.answered(line, answer)
        if outgoing is None:
            return
        if answer.command_status and answer.command_status not in _GIVE_UP:
            again = partial(self.delivery.again, outgoing, line)
            self._loop.call_later(self.config.deliver_retry, again)
        elif outgoing.reply is not None:
            if answer.command_status:
                outgoing.reply.refused += outgoing.parts
            else:
                outgoing.reply.answered += outgoing.parts
            self.network.changed(outgoing.reply)

    def drop_lines(self, name: str | None, system_id: str | None, *, unbind: bool) -> int:
        """Resets the connections of that name or system, all for None, or unbinds them; returns how many."""
        dropped = self.delivery.drop(name, system_id, unbind=unbind)
        self.network.counters.dropped_lines += dropped
        return dropped

    def reset(self) -> int:
        """Empties handsets, what is on its way either way, and counters; returns how many texts went."""
        self.intake.passages.clear()
        self.delivery.clear()
        return self.network.reset()

    def line_infos(self) -> list[LineInfo]:
        """The connections as they are now."""
        return [info(line) for line in self.delivery.lines.values()]

    def snapshot(self) -> Stats:
        """All counters as they are now."""
        lines, network = self.delivery.lines.values(), self.network
        return Stats(
            **network.counters.as_dict(),
            per_second=network.rate.last_second(network.now()),
            kept=len(network.handsets),
            incomplete=network.handsets.incomplete,
            on_the_way=len(self.intake.passages),
            waiting=len(self.delivery.outbox) + sum(len(line.waiting) for line in lines),
            evicted=network.handsets.evicted + self.delivery.outbox.evicted,
            bound=sum(1 for line in lines if line.session),
        )
