"""One bucket for each credential, in this process or over all that share its memory."""

import os
import signal
import subprocess
import sys
import time
from textwrap import dedent

import pytest

from smsdesk.api.limits import NEAR, SLOTS, Buckets, RateLimiter, shared_memory


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.mark.parametrize("per_second", [1, 3, 10, 997, 100_000])
def test_a_second_s_worth_at_once_then_one_after_the_other(per_second: int) -> None:
    clock = Clock()
    limiter = RateLimiter(clock)
    assert [limiter.wait(7, per_second) for _ in range(per_second)] == [0.0] * per_second
    assert limiter.wait(7, per_second) == pytest.approx(1 / per_second, abs=1e-6)
    clock.time += 1 / per_second
    assert limiter.wait(7, per_second) == 0.0
    assert limiter.wait(7, per_second) > 0
    clock.time += 60
    assert sum(limiter.wait(7, per_second) == 0.0 for _ in range(per_second + 5)) == per_second


def test_who_is_refused_has_taken_nothing() -> None:
    clock = Clock()
    limiter = RateLimiter(clock)
    assert [limiter.wait(7, 2) for _ in range(5)] == [0.0, 0.0, 0.5, 0.5, 0.5]


def test_each_has_its_own_also_where_places_are_short() -> None:
    limiter = RateLimiter(Clock())
    crowd = [7 + SLOTS * n for n in range(NEAR)]  # all of them have the same places
    assert [limiter.wait(key, 1) for key in crowd] == [0.0] * NEAR
    assert all(limiter.wait(key, 1) > 0 for key in crowd)


def test_one_too_many_takes_the_place_of_the_one_that_is_full_soonest() -> None:
    clock = Clock()
    limiter = RateLimiter(clock)
    crowd = [7 + SLOTS * n for n in range(NEAR)]
    for key in crowd:
        limiter.wait(key, 1)
        clock.time += 0.01
    assert limiter.wait(7 + SLOTS * NEAR, 1) == 0.0
    assert all(limiter.wait(key, 1) > 0 for key in crowd[1:])


def test_zero_sets_no_limit() -> None:
    limiter = RateLimiter(Clock())
    assert not any(limiter.wait(7, 0) for _ in range(1000))


RACER = dedent("""
    import sys
    from smsdesk.api.limits import Buckets, RateLimiter
    limiter = RateLimiter(lambda: 1000.0, Buckets(int(sys.argv[1])))
    sys.stdin.readline()
    print(sum(limiter.wait(7, 40_000) == 0.0 for _ in range(20_000)))
""")


def racers(shared: int, count: int) -> "list[subprocess.Popen[str]]":
    words = [sys.executable, "-c", RACER, str(shared)]
    pipe = subprocess.PIPE
    return [subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True, pass_fds=(shared,)) for _ in range(count)]


def test_processes_that_ask_at_one_moment_share_a_second_s_worth() -> None:
    """Where the system takes a process off its core while it has the lock, another goes on without: a few at most."""
    shared = shared_memory()
    started = racers(shared, 3)
    try:
        for each in started:
            assert each.stdin is not None
            each.stdin.write("go\n")
            each.stdin.flush()
        assert 40_000 <= sum(int(each.communicate(timeout=60)[0]) for each in started) <= 40_040
    finally:
        os.close(shared)


HOLDER = dedent("""
    import fcntl, sys
    fcntl.lockf(int(sys.argv[1]), fcntl.LOCK_EX)
    print("held", flush=True)
    sys.stdin.readline()
""")


def test_a_process_that_stands_still_with_the_lock_stops_nobody() -> None:
    shared = shared_memory()
    words = [sys.executable, "-c", HOLDER, str(shared)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(shared,)) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        holder.send_signal(signal.SIGSTOP)
        try:
            limiter = RateLimiter(time.monotonic, Buckets(shared))
            assert limiter.wait(7, 1) == 0.0
            assert limiter.wait(7, 1) > 0.5
        finally:
            holder.kill()
    os.close(shared)
