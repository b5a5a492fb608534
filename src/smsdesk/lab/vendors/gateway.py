"""One vendor between its customer and the network: texts in, their status out, handsets' replies out."""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from smsdesk.lab.faults import Stat
from smsdesk.lab.handsets import HandsetReply
from smsdesk.lab.network import Network
from smsdesk.lab.reading import e164
from smsdesk.lab.submission import Submission
from smsdesk.lab.vendors.account import Account
from smsdesk.lab.vendors.courier import CallbackCounts, Courier, Errand
from smsdesk.lab.vendors.exchange import Answer, Callback, Request
from smsdesk.lab.vendors.message import Book, Message, Order, State
from smsdesk.lab.vendors.vendor import Inbound, Sending, Vendor, refusal_of
from smsdesk.lab.verdict import FINE, Verdict

_ENDS: dict[Stat, State] = {"DELIVRD": "delivered", "ACCEPTD": "delivered", "EXPIRED": "expired", "REJECTD": "rejected"}
_NEVER_GIVEN_OUT = 1 << 62
_MOST_WAITING = 10_000


@dataclass(frozen=True, slots=True)
class Taken:
    """A vendor's answer, and how it leaves. `message` is the text that it took, if it took one."""

    answer: Answer
    verdict: Verdict = FINE
    message: Message | None = None


@dataclass(slots=True)
class GatewayCounts(CallbackCounts):
    """What a vendor did since the start or the last reset."""

    texts: int = 0
    """Taken from the customer."""
    refused: int = 0
    replies: int = 0
    """From handsets to the customer."""
    waiting: int = 0
    """Replies that wait for an `inbound_url`."""


class Gateway:
    """One vendor of the lab. `numbers` gives numbers that are unique over all vendors and starts of the lab; the last
    `keep` texts can be looked up."""

    def __init__(self, vendor: Vendor, network: Network, courier: Courier, numbers: Iterator[int], keep: int) -> None:
        self.vendor = vendor
        self.account: Account = vendor.account_type()
        self.book = Book(keep)
        self.counts = GatewayCounts()
        self._network = network
        self._courier = courier
        self._numbers = numbers
        self._owned: frozenset[str] = frozenset()
        self._waiting: deque[HandsetReply] = deque(maxlen=_MOST_WAITING)
        network.attach(vendor.name, self._owned_number, self.bring_reply, vendor.carries_media)

    def _owned_number(self, number: str) -> bool:
        return number in self._owned

    def set_account(self, account: Account) -> None:
        """Replaces the account; replies that waited for an address leave. ValueError for an address that nothing is
        sent to."""
        for url in filter(None, (account.inbound_url, account.status_url)):
            if why := self._courier.refuses(url):
                raise ValueError(why)
        self.account = account
        self._owned = frozenset(e164(number) for number in account.numbers)
        waiting, self._waiting = self._waiting, deque(maxlen=_MOST_WAITING)
        for reply in waiting:
            self.bring_reply(reply)

    def reset(self) -> None:
        """Forgets texts, waiting replies and counters; the account stays."""
        self.book.clear()
        self._waiting.clear()
        self.counts = GatewayCounts()

    def receive(self, request: Request) -> Taken:
        """What a customer's request comes to. `follow` has to be called once the answer has left."""
        asked = self.vendor.receive(request, self.account, self.book)
        if isinstance(asked, Answer):
            return Taken(asked)
        submission = Submission(
            via=self.vendor.name,
            system=asked.system,
            source=asked.source,
            destination=asked.destination,
            body=asked.body,
            encoding=asked.segments.encoding,
            parts=len(asked.segments.parts),
            media=asked.media,
        )
        verdict = self._network.submit(submission)
        if verdict.status:
            self.counts.refused += 1
            return Taken(self.vendor.refused(asked, refusal_of(verdict.status)), verdict)
        if not verdict.taken:
            return Taken(Answer(500), verdict)
        message = self._keep(asked)
        if verdict.arrives:
            self._network.later(verdict.arrival_delay, partial(self._arrive, submission, message.id))
        return Taken(self.vendor.accepted(message), verdict, message)

    def _keep(self, order: Order) -> Message:
        number, now = next(self._numbers), self._network.now()
        message = Message(self.vendor.message_id(number), number, order, now, now)
        self.book.keep(message)
        self.counts.texts += 1
        return message

    def _arrive(self, submission: Submission, message_id: str) -> None:
        self._network.arrive(submission, message_id)

    async def follow(self, message: Message, verdict: Verdict) -> None:
        """Tells the customer how a text that was taken goes on: sent, and, when its time has come, its end."""
        for _ in range(2 if verdict.interim else 1):
            await self._tell(message, "sent")
        # The delays of arrival and answer ran side by side.
        on_its_way = max(0.0, verdict.arrival_delay - verdict.answer_delay)
        await asyncio.sleep(on_its_way + verdict.receipt_delay)
        if not verdict.receipt:
            return
        message.error = verdict.err
        subject = message
        if verdict.unknown_receipt:
            unknown = message.number | _NEVER_GIVEN_OUT
            subject = replace(message, id=self.vendor.message_id(unknown), number=unknown)
        for _ in range(verdict.receipt_copies):
            await self._tell(subject, _ENDS.get(verdict.stat, "undelivered"))

    async def _tell(self, message: Message, state: State) -> None:
        message.state, message.updated_at = state, self._network.now()
        url = message.order.status_url or self.account.status_url
        if not url:
            return

        for place in range(len(self.vendor.status(message, state, self.account, Sending(url, message.updated_at)))):
            self._network.counters.receipts += 1
            await self._courier.bring(
                Errand(
                    url=url,
                    retries=self.vendor.retries(url, self.account),
                    write=partial(self._write_status, message, state, place),
                    counts=self.counts,
                    tried=self._count_try,
                    lost=self._is_lost,
                )
            )

    def _write_status(self, message: Message, state: State, place: int, sending: Sending) -> Callback:
        return self.vendor.status(message, state, self.account, sending)[place]

    def _count_try(self, attempt: int) -> None:
        self._network.counters.repeats += attempt > 1

    def _is_lost(self) -> bool:
        share = self._network.faults.lose_deliver_answer
        return bool(share) and self._network.random.random() < share

    def bring_reply(self, reply: HandsetReply) -> None:
        """Sends a handset's reply to the customer; it waits while there is no `inbound_url`."""
        if not self.account.inbound_url:
            self._waiting.append(reply)
            self.counts.waiting = len(self._waiting)
            return
        self.counts.waiting = len(self._waiting)
        self.counts.replies += 1
        self._courier.start(self._bring_reply(reply, self.account.inbound_url, next(self._numbers)))

    async def _bring_reply(self, reply: HandsetReply, url: str, number: int) -> None:
        whole = Inbound(number, reply.number, reply.to, reply.body, reply.segments, reply.media)
        by_part = self.vendor.by_part and not reply.media
        pieces = [replace(whole, part=part) for part in reply.order] if by_part else [whole]
        for piece in pieces * reply.copies:
            await self._courier.bring(
                Errand(
                    url=url,
                    retries=self.vendor.retries(url, self.account),
                    write=partial(self.vendor.inbound, piece, self.account),
                    counts=self.counts,
                    tried=partial(self._reply_tried, reply),
                    ended=partial(self._reply_ended, reply, 1 if by_part else len(reply.order)),
                    lost=self._is_lost,
                )
            )

    def _reply_tried(self, reply: HandsetReply, attempt: int) -> None:
        self._count_try(attempt)
        reply.sends += 1
        self._network.changed(reply)

    def _reply_ended(self, reply: HandsetReply, parts: int, was_taken: bool) -> None:
        if was_taken:
            reply.answered += parts
        else:
            reply.refused += parts
        self._network.changed(reply)
