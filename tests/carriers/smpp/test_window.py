"""The pure window: whatever is answered in whatever order, each text has one outcome, and it is the honest one."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsdesk.carriers.contract import Accepted, Doubtful, OutboundText, Pace, Refused, Unsent
from smsdesk.carriers.smpp.codec import decode
from smsdesk.carriers.smpp.gate import Gate
from smsdesk.carriers.smpp.pdu import SubmitSm
from smsdesk.carriers.smpp.submission import Submission, prepare
from smsdesk.carriers.smpp.timers import Flow
from smsdesk.carriers.smpp.window import Settled, Terms, Window
from smsdesk.domain.pace import SlidingWindow

from .rig import LATER, config, message_id, outbound

NOW = datetime(2029, 1, 1, tzinfo=UTC)
SLOW = Refused("queue_full", "0x00000058", 1.0)
FAULT = Refused("carrier_error", "0x00000008", 60.0)
NEVER = Refused("blocked", "0x00000045")
REFUSALS = {"slow": SLOW, "fault": FAULT, "never": NEVER}

PARTS = st.lists(st.sampled_from([1, 1, 1, 2, 3, 5]), min_size=1, max_size=8)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["take", "take", "slow", "fault", "never", "doubt", "write", "release", "wait", "give back"]),
        st.integers(0, 50),
    ),
    max_size=60,
)


class Whim:
    """A pace that lets every third segment wait, and keeps its own books."""

    def __init__(self) -> None:
        self.asked = 0
        self.open: dict[int, int] = {}

    def take(self, text: OutboundText, segments: int) -> float:
        self.asked += 1
        if self.asked % 3 == 0:
            return 0.5
        self.open[text.text_id] = self.open.get(text.text_id, 0) + segments
        return 0.0

    def answered(self, text: OutboundText, segments: int) -> None:
        self.open[text.text_id] -= segments
        assert self.open[text.text_id] >= 0


def submission(text_id: int, parts: int = 1, valid_until: datetime = LATER) -> Submission:
    body = "a" * (153 * parts if parts > 1 else 9)
    made = prepare(outbound(text_id, body, valid_until=valid_until), config(2775))
    assert isinstance(made, Submission)
    return made


class Network:
    """Plays the SMSC for a window and remembers what it saw of each text."""

    def __init__(self, sizes: list[int], size: int, pace: Pace | None = None) -> None:
        self.flow = Flow(1.0, 30.0)
        self.window = Window(Terms(size, 10.0, 1.0, 30.0), Gate(self.flow, None, pace))
        self.size = size
        self.now = 1000.0
        self.open: dict[int, SubmitSm] = {}
        self.seen: dict[int, list[str]] = {}
        self.taken: dict[int, set[str]] = {}
        self.settled: list[Settled] = []
        for text_id, parts in enumerate(sizes):
            self.window.put(submission(text_id, parts))

    def write(self) -> list[str]:
        octets, settled = self.window.write(self.now, NOW)
        self.settled += settled
        written = [self._keep(decode(each)) for each in octets]
        assert len(self.open) <= self.size
        return written

    def _keep(self, submit: object) -> str:
        assert isinstance(submit, SubmitSm)
        assert submit.sequence_number not in self.open
        self.open[submit.sequence_number] = submit
        self.seen.setdefault(self.text_of(submit), []).append(message_id(submit))
        return message_id(submit)

    def step(self, step: str, choice: int) -> None:
        if step == "write":
            self.write()
        elif step == "wait":
            self.now += choice
        elif step in ("release", "give back"):
            self.settled += self.window.release("released", refused=step == "give back")
        elif self.open:
            number = list(self.open)[choice % len(self.open)]
            self.answer(step, number, self.open.pop(number))

    def answer(self, step: str, number: int, submit: SubmitSm) -> None:
        if step == "take":
            self.taken.setdefault(self.text_of(submit), set()).add(message_id(submit))
            settled = self.window.take(number, message_id(submit), self.now)
        elif step == "doubt":
            settled = self.window.doubt(number, "no answer", self.now)
        else:
            settled = self.window.refuse(number, REFUSALS[step], self.now)
        assert settled is not None
        self.settled += settled

    def answer_all(self, step: str) -> None:
        for number in list(self.open):
            self.answer(step, number, self.open.pop(number))

    @staticmethod
    def text_of(submit: SubmitSm) -> int:
        return int(message_id(submit).split("-")[1])


@settings(deadline=None, max_examples=500)
@given(PARTS, st.integers(1, 6), STEPS, st.booleans())
def test_every_text_has_one_honest_outcome(
    sizes: list[int], size: int, steps: list[tuple[str, int]], paced: bool
) -> None:
    pace = Whim()
    network = Network(sizes, size, pace if paced else None)
    for step, choice in steps:
        network.step(step, choice)
        assert 0 <= network.window.room(network.now) <= size - len(network.open)
    network.settled += network.window.lose("the line is gone", network.now)
    assert network.window.idle()
    assert not any(pace.open.values())
    assert sorted(text.text_id for text, _ in network.settled) == list(range(len(sizes)))
    for text, outcome in network.settled:
        seen, taken = network.seen.get(text.text_id, []), network.taken.get(text.text_id, set())
        match outcome:
            case Unsent():
                assert seen == []
            case Accepted(part_ids):
                assert len(part_ids) == sizes[text.text_id]
                assert set(part_ids) == taken
            case Refused(part_ids=part_ids, retry_after=retry_after):
                assert {part_id for part_id in part_ids if part_id} == taken
                assert not (taken and retry_after)
            case Doubtful(part_ids=part_ids):
                assert seen
                assert {part_id for part_id in part_ids if part_id} == taken


@settings(deadline=None)
@given(PARTS, st.integers(1, 6))
def test_a_willing_network_gets_everything_once_and_in_order(sizes: list[int], size: int) -> None:
    network, order = Network(sizes, size), []
    for _ in range(sum(sizes)):
        order += network.write()
        network.answer_all("take")
    assert [text.text_id for text, _ in network.settled] == list(range(len(sizes)))
    assert all(isinstance(outcome, Accepted) for _, outcome in network.settled)
    assert order == sorted(order)
    assert len(order) == sum(sizes)
    assert network.window.room(network.now) == size


def test_throttled_texts_go_again_in_their_order_whatever_the_order_of_the_answers() -> None:
    network = Network([1, 1, 1, 1], 3)
    assert network.write() == ["id-0", "id-1", "id-2"]
    numbers = list(network.open)
    network.answer("slow", numbers[2], network.open.pop(numbers[2]))
    network.answer("slow", numbers[0], network.open.pop(numbers[0]))
    network.answer("take", numbers[1], network.open.pop(numbers[1]))
    assert network.write() == ["id-0", "id-2", "id-3"]


def test_after_a_throttle_a_part_leaves_at_a_time() -> None:
    network = Network([1] * 6, 6)
    network.write()
    for _ in range(3):
        network.flow.took(network.now)
    network.flow.hit(network.now)
    network.answer_all("slow")
    assert network.write() == []
    assert network.window.wait == pytest.approx(1.0)
    network.now += network.window.wait
    assert network.write() == ["id-0"]
    assert network.window.wait == pytest.approx(1 / (0.95 * 3), rel=0.01)
    assert network.window.room(network.now) == 0
    network.now += network.window.wait
    assert network.write() == ["id-1"]


def test_a_text_that_is_throttled_by_itself_lets_the_others_pass() -> None:
    network = Network([2, 1], 2)
    network.write()
    first = min(network.open)
    network.answer("take", first, network.open.pop(first))
    for _ in range(2):
        network.answer_all("slow")
        assert network.write() == ["id-0-2", "id-1"]
        last = max(network.open)
        network.answer("slow", last, network.open.pop(last))
    network.answer_all("slow")
    assert network.write() == ["id-1"]  # the rest of text 0 stands aside by now
    network.answer_all("slow")
    assert [text.text_id for text, _ in network.settled] == [1]
    network.window.put(submission(7))
    assert network.write() == ["id-7"]
    assert network.window.wait == 2.0
    network.now += 2.0
    assert network.write() == ["id-0-2"]


class Shut:
    """A pace that is shut for one sender."""

    def __init__(self, text_id: int) -> None:
        self.text_id = text_id
        self.taken: list[tuple[int, int]] = []

    def take(self, text: OutboundText, segments: int) -> float:
        if text.text_id == self.text_id:
            return 0.25
        self.taken.append((text.text_id, segments))
        return 0.0

    def answered(self, text: OutboundText, segments: int) -> None:
        self.taken.remove((text.text_id, segments))


def test_a_text_that_its_pace_holds_lets_the_others_pass_and_is_asked_again_in_time() -> None:
    pace = Shut(0)
    network = Network([1, 1, 1], 3, pace)
    assert network.write() == ["id-1", "id-2"]
    assert network.window.wait == 0.25
    assert network.window.room(network.now) == 0  # the free slot is that of the text that waits
    network.now += 0.25
    assert network.write() == []
    pace.text_id = -1
    network.now += 0.25
    assert network.write() == ["id-0"]
    network.answer_all("take")
    assert pace.taken == []


def test_the_lines_own_limit_holds_in_every_second() -> None:
    limit = SlidingWindow(4, 1.0)
    window = Window(Terms(50, 10.0, 1.0, 30.0), Gate(Flow(1.0, 30.0), limit))
    for text_id in range(10):
        window.put(submission(text_id))
    left: list[float] = []
    now, number = 100.0, 1
    while len(left) < 10:
        octets, _ = window.write(now, NOW)
        for _ in octets:
            left.append(now)
            window.take(number, "id", now + 0.01)
            number += 1
        now += window.wait or 0.01
    assert all(later - earlier > 1.0 for earlier, later in zip(left, left[4:], strict=False))
    assert left[-1] - left[0] < 2.2


def test_no_part_is_written_after_its_texts_time() -> None:
    window = Window(Terms(1, 10.0, 1.0, 30.0), Gate(Flow(1.0, 30.0)))
    window.put(submission(1, parts=2, valid_until=NOW + timedelta(seconds=5)))
    window.put(submission(2, valid_until=NOW + timedelta(seconds=5)))
    assert len(window.write(0.0, NOW + timedelta(seconds=4.9))[0]) == 1
    window.take(1, "one", 0.0)
    octets, settled = window.write(0.0, NOW + timedelta(seconds=5))
    assert octets == []
    late = Refused("expired_here", "not sent: valid_until has passed")
    partly = Refused("expired_here", "not sent: valid_until has passed", None, ("one",))
    assert [outcome for _, outcome in settled] == [partly, late]
    assert window.idle()


def test_what_is_overdue_is_doubted_and_late_answers_are_nobodys() -> None:
    network = Network([1, 1], 2)
    network.write()
    assert network.window.expire(1009.9) == []
    settled = network.window.expire(1010.0)
    assert [outcome for _, outcome in settled] == [Doubtful("no answer in 10 s", (None,))] * 2
    assert network.window.take(1, "late", 1010.0) is None
    assert network.window.refuse(2, NEVER, 1010.0) is None
    assert network.window.idle()


def test_a_number_that_is_still_open_is_left_out() -> None:
    window = Window(Terms(2, 10.0, 1.0, 30.0), Gate(Flow(1.0, 30.0)), first_sequence_number=0x7FFFFFFF)
    window.put(submission(1))
    (octets,), _ = window.write(0.0, NOW)
    assert decode(octets).sequence_number == 0x7FFFFFFF
    window._sequence_number = 0x7FFFFFFE  # all other numbers were used meanwhile
    assert window.next_sequence_number() == 1
