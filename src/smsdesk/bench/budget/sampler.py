"""Runs a module with a profile of where its CPU goes: `python -m smsdesk.bench.budget.sampler FOLDER MODULE WORDS...`.

A timer of the process's own CPU time (ITIMER_PROF, setitimer(2)) interrupts it at each tick of the kernel. What the
process used since the last sample falls to the stack that is met, so that the samples add up to its CPU. At SIGUSR1 it
writes all of them into FOLDER, as 1.json, then 2.json ...: two of these are what happened in between.

Code in C has no frame. What it takes falls to the Python function that called it; what the event loop itself does
(polling, reading, writing) to the loop's caller, for a function that has just been entered did nothing yet.
"""

import dis
import runpy
import signal
import sys
import time
from collections import Counter
from functools import cache
from pathlib import Path
from types import CodeType, FrameType

import msgspec

INTERVAL = 0.001
"""Seconds of CPU between two samples. The kernel's tick is the limit: 4 ms at the usual 250 Hz."""
DEEPEST = 40
_RESUME = dis.opmap["RESUME"]

Stack = tuple[str, ...]
"""The functions that were at work as `module:name`, the innermost first."""


class Profile(msgspec.Struct, frozen=True):
    """What a process used so far. Times are nanoseconds of CPU."""

    cpu: int
    sampling: int
    """What taking the samples took, which is in no stack."""
    samples: int
    stacks: list[tuple[Stack, int]]


class Sampler:
    """Collects the samples of this process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._spent: Counter[Stack] = Counter()
        self._samples = self._sampling = self._written = 0
        self._last = time.process_time_ns()
        self._writing = False

    def start(self) -> None:
        """From now on. Only the main thread may call it."""
        signal.signal(signal.SIGPROF, self._sample)
        signal.signal(signal.SIGUSR1, self._write)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)

    def _sample(self, _signal: int, frame: FrameType | None) -> None:
        if self._writing:
            return
        now = time.process_time_ns()
        self._spent[stack_of(frame)] += now - self._last
        self._samples += 1
        self._last = time.process_time_ns()
        self._sampling += self._last - now

    def _write(self, _signal: int, _frame: FrameType | None) -> None:
        now = time.process_time_ns()
        self._written, self._writing = self._written + 1, True
        profile = Profile(now, self._sampling, self._samples, list(self._spent.items()))
        file = self._folder / f"{self._written}.json"
        file.with_suffix(".new").write_bytes(msgspec.json.encode(profile))
        file.with_suffix(".new").rename(file)  # whole, or not there
        self._last, self._writing = time.process_time_ns(), False
        self._sampling += self._last - now


def stack_of(frame: FrameType | None) -> Stack:
    """The functions at work; without the innermost where that was only entered."""
    if frame is not None and frame.f_back is not None and frame.f_lasti in _entries(frame.f_code):
        frame = frame.f_back
    found: list[str] = []
    while frame is not None and len(found) < DEEPEST:
        found.append(f"{frame.f_globals.get('__name__', '')}:{frame.f_code.co_qualname}")
        frame = frame.f_back
    return tuple(found)


@cache
def _entries(code: CodeType) -> frozenset[int]:
    """Where a signal is met between the call of a function and its first instruction."""
    first = next((each.offset for each in dis.get_instructions(code) if each.opcode == _RESUME), None)
    return frozenset() if first is None else frozenset({first})


def since(before: Profile, after: Profile) -> Profile:
    """What happened between two profiles of one process."""
    spent = Counter(dict(after.stacks))
    spent.subtract(dict(before.stacks))
    stacks = [(stack, took) for stack, took in spent.items() if took]
    cpu, sampling = after.cpu - before.cpu, after.sampling - before.sampling
    return Profile(cpu, sampling, after.samples - before.samples, stacks)


def main() -> None:
    """Starts the profile and becomes the module."""
    folder, module, *words = sys.argv[1:]
    Sampler(Path(folder)).start()
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
