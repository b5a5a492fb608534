"""The pure window: whatever is answered in whatever order, each text has one outcome, and it is the honest one."""

from hypothesis import given, settings
from hypothesis import strategies as st

from smsdesk.carriers.contract import Accepted, Doubtful, Refused, Unsent
from smsdesk.carriers.smpp.codec import decode
from smsdesk.carriers.smpp.pdu import SubmitSm
from smsdesk.carriers.smpp.submission import Submission, prepare
from smsdesk.carriers.smpp.window import Settled, Window

from .rig import config, message_id, outbound

LATER = Refused("queue_full", "0x00000058", 1.0)
NEVER = Refused("blocked", "0x00000045")

PARTS = st.lists(st.sampled_from([1, 1, 1, 2, 3, 5]), min_size=1, max_size=8)
STEPS = st.lists(
    st.tuples(st.sampled_from(["take", "take", "later", "never", "doubt", "write", "release"]), st.integers(0, 50)),
    max_size=60,
)


class Network:
    """Plays the SMSC for a window and remembers what it saw of each text."""

    def __init__(self, sizes: list[int], size: int) -> None:
        self.window = Window(size, 10.0)
        self.size = size
        self.open: dict[int, SubmitSm] = {}
        self.seen: dict[int, list[str]] = {}
        self.taken: dict[int, set[str]] = {}
        self.settled: list[Settled] = []
        for text_id, parts in enumerate(sizes):
            submission = prepare(outbound(text_id, "a" * (153 * parts if parts > 1 else 9)), config(2775))
            assert isinstance(submission, Submission)
            self.window.put(submission)

    def write(self) -> None:
        for octets in self.window.write(0.0):
            submit = decode(octets)
            assert isinstance(submit, SubmitSm)
            assert submit.sequence_number not in self.open
            self.open[submit.sequence_number] = submit
            self.seen.setdefault(self.text_of(submit), []).append(message_id(submit))
        assert len(self.open) <= self.size

    def step(self, step: str, choice: int) -> None:
        if step == "write":
            self.write()
        elif step == "release":
            self.settled += self.window.release("released")
        elif self.open:
            number = list(self.open)[choice % len(self.open)]
            self.answer(step, number, self.open.pop(number))

    def answer(self, step: str, number: int, submit: SubmitSm) -> None:
        if step == "take":
            self.taken.setdefault(self.text_of(submit), set()).add(message_id(submit))
            settled = self.window.take(number, message_id(submit))
        elif step == "doubt":
            settled = self.window.doubt(number, "no answer")
        else:
            settled = self.window.refuse(number, LATER if step == "later" else NEVER)
        assert settled is not None
        self.settled += settled

    @staticmethod
    def text_of(submit: SubmitSm) -> int:
        return int(message_id(submit).split("-")[1])


@settings(deadline=None, max_examples=1_000)
@given(PARTS, st.integers(1, 6), STEPS)
def test_every_text_has_one_honest_outcome(sizes: list[int], size: int, steps: list[tuple[str, int]]) -> None:
    network = Network(sizes, size)
    for step, choice in steps:
        network.step(step, choice)
    network.settled += network.window.lose("the line is gone")
    assert network.window.idle()
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
        network.write()
        for number, submit in list(network.open.items()):
            order.append((network.text_of(submit), message_id(submit)))
            network.answer("take", number, network.open.pop(number))
    assert [text.text_id for text, _ in network.settled] == list(range(len(sizes)))
    assert all(isinstance(outcome, Accepted) for _, outcome in network.settled)
    assert order == sorted(order)
    assert len(order) == sum(sizes)
    assert network.window.room() == size


def test_what_is_overdue_is_doubted_and_late_answers_are_nobodys() -> None:
    network = Network([1, 1], 2)
    network.write()
    assert network.window.expire(9.9) == []
    settled = network.window.expire(10.0)
    assert [outcome for _, outcome in settled] == [Doubtful("no answer in 10 s", (None,))] * 2
    assert network.window.take(1, "late") is None
    assert network.window.refuse(2, NEVER) is None
    assert network.window.idle()


def test_a_number_that_is_still_open_is_left_out() -> None:
    window = Window(2, 10.0, first_sequence_number=0x7FFFFFFF)
    submission = prepare(outbound(1), config(2775))
    assert isinstance(submission, Submission)
    window.put(submission)
    (octets,) = window.write(0.0)
    assert decode(octets).sequence_number == 0x7FFFFFFF
    window._sequence_number = 0x7FFFFFFE  # all other numbers were used meanwhile
    assert window.next_sequence_number() == 1
