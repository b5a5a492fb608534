"""The network behind the lab's doors: it judges what is submitted, shows it at handsets, and takes replies to whoever
owns the number, whether they speak SMPP or HTTP."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from msgspec import Struct

from smsdesk.lab.faults import NO_FAULTS, Faults
from smsdesk.lab.feed import Feed
from smsdesk.lab.handsets import HandsetReply, Handsets, Text
from smsdesk.lab.journal import Journal
from smsdesk.lab.pictures import Attached, Shelf
from smsdesk.lab.profiles import ChosenProfile, choose, under
from smsdesk.lab.reading import Part
from smsdesk.lab.replies import Encoding, cut
from smsdesk.lab.stats import Counters, Rate
from smsdesk.lab.submission import SMPP, Submission
from smsdesk.lab.throttle import Throttle
from smsdesk.lab.verdict import FINE, QUEUE_FULL, THROTTLED, Verdict, by_faults
from smsdesk.lab.words import ReplyFate, by_reply, by_text

_SENDERS_MAX = 100_000


class Segment(Struct, frozen=True, gc=False):
    """What the network took at one moment, for those who check rates; `at` is seconds since 1970."""

    at: float
    source: str
    destination: str
    system: str
    via: str
    segments: int


@dataclass(frozen=True, slots=True)
class _Door:
    """A way out for replies: the SMPP port, or an HTTP vendor."""

    owns: Callable[[str], bool]
    deliver: Callable[[HandsetReply], None]
    carries_media: bool


class Network:
    """Handsets, faults and profile of one lab. `clock` gives seconds since 1970, `keep` bounds all that is kept."""

    def __init__(self, keep: int, clock: Callable[[], float], random: Random) -> None:
        self.handsets = Handsets(keep)
        self.faults = NO_FAULTS
        self.profile = choose("perfect", {})
        self.feed = Feed()
        self.segments: Journal[Segment] = Journal(keep)
        self.counters = Counters()
        self.shelf = Shelf()
        self.rate = Rate()
        self.now = clock
        self.random = random
        self._loop = asyncio.get_running_loop()
        self._throttles: dict[tuple[str, str], Throttle] = {}
        self._doors: dict[str, _Door] = {}
        self._senders: dict[str, tuple[str, str]] = {}
        self._replies = 0
        # A lab that is started again must not give out an id twice.
        self._series = f"{int(clock()):x}"

    def attach(
        self,
        via: str,
        owns: Callable[[str], bool],
        deliver: Callable[[HandsetReply], None],
        carries_media: bool = False,
    ) -> None:
        """A door takes replies: to the numbers that it `owns` by its configuration, and to those that last sent over
        it. `deliver` returns at once; it brings `reply.order`, `reply.copies` times, and calls `changed`."""
        self._doors[via] = _Door(owns, deliver, carries_media)

    def submit(self, submission: Submission, submitted: int = 1) -> Verdict:
        """Judges a text, or a part, that comes in: by the words in it, else by the faults and the profile. It is the
        connection's number `submitted`, from 1. Counts it; where the network takes it, keeps its segments."""
        now = self.now()
        verdict = self._judge(submission, submitted, now)
        self.counters.submitted += 1
        if verdict.answer != "whole":
            self.counters.lost_answers += 1
        if verdict.status:
            self.counters.refused += 1
        elif verdict.taken:
            self.counters.accepted += 1
            self.rate.count(now)
            self._remember(submission, now)
        return verdict

    def _judge(self, submission: Submission, submitted: int, now: float) -> Verdict:
        asked_for = by_text(submission.body) if "#" in submission.body else None
        if asked_for is not None:
            return asked_for
        if self.faults is NO_FAULTS and self.profile.is_perfect:
            return FINE
        throttle = self._throttles.setdefault((submission.via, submission.system), Throttle())
        if not throttle.passes(now, self.faults.throttle_above or self.profile.throttle_above):
            return THROTTLED
        if throttle.is_full(self.faults, self.random):
            return QUEUE_FULL
        verdict = by_faults(self.faults, submitted, self.random)
        return verdict if self.profile.is_perfect else under(self.profile, verdict, self.random)

    def _remember(self, submission: Submission, now: float) -> None:
        source, via, system = submission.source, submission.via, submission.system
        self.segments.append(Segment(now, source, submission.destination, system, via, submission.parts))
        if source in self._senders or len(self._senders) < _SENDERS_MAX:
            self._senders[source] = (via, system)

    def refused(self) -> None:
        """Counts a submission that no network would take."""
        self.counters.submitted += 1
        self.counters.refused += 1

    def sender(self, number: str) -> tuple[str, str] | None:
        """Over which door and as which system somebody last sent from a number; None where nobody did."""
        return self._senders.get(number)

    def arrive(self, submission: Submission, message_id: str) -> Text:
        """The whole text is on the phone now, and the phone's automatic reply, if it has one, on its way."""
        now = self.now()
        return self._arrived(self.handsets.keep(submission, (message_id,), (1,) * submission.parts, now, now))

    def join(self, part: Part, message_id: str) -> None:
        """A part of a long text is on the phone now; with the last of them the text is."""
        text = self.handsets.join(part, message_id, self.now())
        if text is not None:
            self._arrived(text)

    def _arrived(self, text: Text) -> Text:
        self.counters.texts += 1
        self.feed.publish(text)
        body = self.handsets.by_number[text.number].auto_reply or self.handsets.auto_reply
        if body and text.source.lstrip("+").isdigit():
            self._loop.call_soon(self.reply, text.number, text.source, body)
        return text

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Runs `action` after so many seconds; at once for 0."""
        if seconds > 0:
            self._loop.call_later(seconds, action)
        else:
            action()

    def reply(
        self,
        number: str,
        to: str,
        body: str,
        encoding: Encoding | None = None,
        media: tuple[Attached, ...] = (),
    ) -> HandsetReply:
        """Sends what was typed at the handset `number` to who owns `to`, both as E.164 or short codes, in the shortest
        encoding that has all its characters unless one is named. It waits as long as it must. ValueError when it is
        too long for a text, not of that encoding, or goes with files where the owner's door has words alone."""
        if media and not self._door(to).carries_media:
            raise ValueError(f"{to} is reached by a door that carries no files: choose a number of an HTTP vendor")
        segments = cut(body, encoding)
        total = len(segments.parts)
        fate = self._reply_fate(body)
        self._replies += 1
        ids = tuple(f"{self._series}-{self._replies:x}-{part}" for part in range(1, total + 1))
        reply = HandsetReply(
            self._replies, number, to, body, segments, ids, self.now(), self._order(total, fate), media, fate.copies
        )
        self.counters.replies += 1
        self.handsets.typed(reply)
        self._door(to).deliver(reply)
        self.changed(reply)
        return reply

    def _reply_fate(self, body: str) -> ReplyFate:
        asked_for = by_reply(body) if "#" in body else None
        if asked_for is not None or self.faults is NO_FAULTS:
            return asked_for or ReplyFate()
        chance = self.random.random
        return ReplyFate(
            shuffles=chance() < self.faults.shuffle_parts,
            loses=2 if chance() < self.faults.lose_part else 0,
            copies=2 if chance() < self.faults.repeat_reply else 1,
        )

    def _order(self, total: int, fate: ReplyFate) -> tuple[int, ...]:
        written = list(range(1, total + 1))
        order = list(written)
        while fate.shuffles and total > 1 and order == written:
            self.random.shuffle(order)
        if total > 1 and fate.loses in order:
            order.remove(fate.loses)
        return tuple(order)

    def _door(self, number: str) -> _Door:
        for door in self._doors.values():
            if door.owns(number):
                return door
        via, _ = self._senders.get(number, (SMPP, ""))
        return self._doors[via]

    def changed(self, reply: HandsetReply) -> None:
        """Tells those who watch that a reply has come further."""
        self.feed.publish(reply)

    def set_faults(self, faults: Faults) -> None:
        """Replaces all faults, from the next text on."""
        self.faults = NO_FAULTS if faults == NO_FAULTS else faults

    def set_profile(self, profile: ChosenProfile) -> None:
        """Replaces the profile, from the next text on."""
        self.profile = profile

    def reset(self) -> int:
        """Empties handsets, log and counters; returns how many texts went."""
        self.counters = Counters()
        self.segments.clear()
        return self.handsets.reset()
