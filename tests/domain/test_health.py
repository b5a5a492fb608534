"""When a carrier is left, and how it comes back."""

import pytest

from smsdesk.domain.health import FIRST_REST, LONGEST_REST, End, Health


def answer(health: Health, count: int, end: End, now: float, first: int = 1) -> None:
    """So many answers, a tenth of a second apart, each as soon as its text was sent."""
    for number in range(first, first + count):
        now += 0.1
        health.handed((number, 1), now)
        health.ended((number, 1), end, now)


def test_a_line_that_is_down_is_left_after_what_reconnecting_costs() -> None:
    health = Health(0.0)
    health.look(False, "down: connection refused", 2.0)
    assert health.state == "well"
    health.look(False, "down: connection refused", 3.0)
    assert (health.state, health.why) == ("sick", "down: connection refused")
    assert health.room(50) == 0


def test_a_carrier_that_hangs_is_left_within_ten_seconds() -> None:
    health = Health(0.0)
    health.handed((1, 1), 1.0)
    seconds = next(second for second in range(2, 20) if health.look(True, "bound", float(second)))
    assert seconds - 1 <= 10 - 1  # a look is at most a second late
    assert health.why == "no answer for 5 s"


def test_answers_that_keep_coming_late_are_no_answers() -> None:
    health = Health(0.0)
    for second in range(20):
        health.handed((second, 1), float(second))
        if second >= 8:
            health.ended((second - 8, 1), "good", float(second))
        health.look(True, "bound", float(second))
    assert health.state != "well"


def test_a_segment_that_waited_for_its_limit_is_not_overdue() -> None:
    health = Health(0.0)
    health.handed((1, 1), 0.0)
    for second in range(1, 10):
        health.passed((1, 1), float(second))
        assert not health.look(True, "bound", float(second))


def test_a_text_whose_rest_waits_for_a_limit_is_not_overdue() -> None:
    health = Health(0.0)
    health.handed((1, 1), 0.0)
    health.passed((1, 1), 0.1)
    health.waits((1, 1))
    assert not health.look(True, "bound", 60.0)
    health.passed((1, 1), 60.0)
    assert not health.look(True, "bound", 64.0)
    assert health.look(True, "bound", 65.5), "its second part has no answer"


@pytest.mark.parametrize(("bad", "good", "state"), [(2, 0, "well"), (3, 0, "sick"), (3, 3, "sick"), (3, 4, "well")])
def test_half_of_the_last_answers_must_be_good(bad: int, good: int, state: str) -> None:
    health = Health(0.0)
    answer(health, bad, "bad", 1.0)
    answer(health, good, "good", 1.0, first=100)
    health.look(True, "bound", 2.0)
    assert health.state == state


def test_old_failures_and_requests_for_patience_prove_nothing() -> None:
    health = Health(0.0)
    answer(health, 3, "bad", 1.0)
    health.look(True, "bound", 45.0)
    assert health.state == "well"
    answer(health, 30, "none", 41.0)
    health.look(True, "bound", 41.0)
    assert health.state == "well"


def sick(now: float = 10.0) -> Health:
    health = Health(now - 1)
    answer(health, 3, "bad", now - 0.5)
    health.look(True, "bound", now)
    assert health.state == "sick"
    return health


def test_it_is_tried_with_one_text_at_a_time_and_taken_back_after_three() -> None:
    health = sick(10.0)
    health.look(True, "bound", 10.0 + FIRST_REST - 0.1)
    assert health.state == "sick"
    health.look(True, "bound", 10.0 + FIRST_REST)
    assert (health.state, health.room(50)) == ("trial", 1)
    health.handed((50, 1), 16.0)
    assert health.room(50) == 0
    health.ended((50, 1), "good", 16.1)
    assert health.room(50) == 1
    answer(health, 2, "good", 16.2, first=60)
    assert (health.state, health.room(50)) == ("well", 50)


def test_one_failure_on_trial_sends_it_back_for_longer_each_time() -> None:
    health, now, rests = sick(10.0), 10.0, []
    for number in range(6):
        since = now
        while health.state == "sick":
            now += 1.0
            health.look(True, "bound", now)
        rests.append(now - since)
        health.handed((1000 + number, 1), now)
        health.ended((1000 + number, 1), "lost", now)
        assert health.state == "sick"
    assert rests == [5, 10, 20, 40, 60, 60]
    assert max(rests) == LONGEST_REST


def test_a_carrier_that_stays_down_is_not_tried() -> None:
    health = sick(10.0)
    health.look(False, "down: reset", 100.0)
    assert health.state == "sick"


def test_answers_to_what_was_sent_before_do_not_decide_the_trial() -> None:
    health = Health(0.0)
    for number in range(50):
        health.handed((number, 1), 1.0)
    health.look(True, "bound", 7.0)
    assert health.state == "sick"
    health.look(True, "bound", 13.0)
    for number in range(50):
        health.ended((number, 1), "lost", 13.5)
    assert (health.state, health.room(5)) == ("trial", 1)


def test_a_line_that_breaks_once_is_one_failure() -> None:
    health = Health(0.0)
    for number in range(50):
        health.handed((number, 1), 1.0)
    for number in range(50):
        health.ended((number, 1), "lost", 1.5)
    health.look(True, "bound", 2.0)
    assert health.state == "well"


def test_an_answer_that_never_came_while_none_came_is_silence() -> None:
    health = Health(0.0)
    health.handed((1, 1), 1.0)
    health.ended((1, 1), "lost", 3.0)
    health.look(True, "bound", 3.0)
    assert (health.state, health.why) == ("sick", "no answer for 2 s")


def test_one_lost_answer_among_many_is_no_silence() -> None:
    health = Health(0.0)
    health.handed((1, 1), 1.0)
    answer(health, 20, "good", 1.0, first=100)
    health.ended((1, 1), "lost", 11.0)
    assert not health.look(True, "bound", 11.0)
    health.handed((2, 1), 12.0)
    answer(health, 1, "good", 13.0, first=200)
    assert not health.look(True, "bound", 18.0)
