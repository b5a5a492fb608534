"""Several processes under one parent: started, watched, started again when they die, and ended together.

A process gets descriptors of its parent: a pipe that says nothing and ends with the parent, however that dies; and
where it serves, a listening socket of its own, and memory that all who serve share. The socket stays open in the
parent, so that connections which nobody has taken yet outlive the process they were meant for, and are taken by the one
that follows it.
"""

import asyncio
import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from smsdesk.cli.options import CommandError

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds until a process that died is started again: doubled each time, until one has worked for STEADY seconds."""
STEADY = 60.0
LONGEST_END = 60.0
"""Seconds that processes may take to finish what they began: open requests have 10, a line's records 10 more."""


@dataclass(frozen=True, slots=True)
class Post:
    """What one process is to do: a name for the log, the words of its command, and where it serves its socket and the
    memory that it shares."""

    name: str
    words: tuple[str, ...]
    listening: socket.socket | None = None
    shared: int | None = None


@dataclass(frozen=True, slots=True)
class Inherited:
    """What a process has from its parent, as descriptors."""

    parent: int
    listening: int | None = None
    shared: int | None = None

    @property
    def given(self) -> tuple[int, ...]:
        """All of them."""
        return tuple(each for each in (self.parent, self.listening, self.shared) if each is not None)

    def words(self) -> tuple[str, str]:
        """As an option of the process's own command."""
        return "--inherit", ",".join(map(str, self.given))

    def socket(self) -> socket.socket | None:
        """The listening socket, where it serves."""
        if self.listening is None:
            return None
        listening = socket.socket(fileno=self.listening)
        listening.setblocking(False)
        return listening


def read_inherited(said: str) -> Inherited:
    """What `Inherited.words` said. Raises CommandError: nobody but a parent says it."""
    try:
        return Inherited(*map(int, said.split(",")))
    except (ValueError, TypeError):
        raise CommandError("--inherit is not for people: it is how `--workers` starts its processes") from None


def has_ended(parent: int) -> bool:
    """Whether the parent has ended already."""
    return bool(select.select([parent], [], [], 0)[0])


def end_with(parent: int, stop: asyncio.Event) -> None:
    """Tells to stop when the parent has ended, in whatever way: its end of the pipe is closed by the kernel."""
    loop = asyncio.get_running_loop()

    def ended() -> None:
        loop.remove_reader(parent)
        stop.set()

    loop.add_reader(parent, ended)


class Processes:
    """The processes of one parent. `run` returns when they have ended."""

    def __init__(self, posts: Sequence[Post], log: FilteringBoundLogger) -> None:
        self._posts = posts
        self._log = log
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._ready: set[str] = set()
        self._all_ready = asyncio.Event()
        self._stopping = False

    async def run(self, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        """Keeps all of them at work until told to stop, then lets them finish. `ready` is called once all are.

        Raises CommandError where one ends before it was ever ready: what it lacks it would lack the next time.
        """
        reading, writing = os.pipe()
        keeping = {post.name: asyncio.create_task(self._keep(post, reading)) for post in self._posts}
        telling = asyncio.create_task(self._tell(ready))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([*keeping.values(), stopping], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._stopping = True
            telling.cancel()
            stopping.cancel()
            await self._end(keeping)
            os.close(reading)
            os.close(writing)
        for task in keeping.values():
            if not task.cancelled() and (error := task.exception()):
                raise error

    async def _tell(self, ready: Callable[[], None]) -> None:
        await self._all_ready.wait()
        ready()

    async def _keep(self, post: Post, parent: int) -> None:
        """One post, from process to process."""
        loop, pause = asyncio.get_running_loop(), FIRST_PAUSE
        while not self._stopping:
            began = loop.time()
            process = self._running[post.name] = await _start(post, parent)
            assert process.stdout is not None
            if await process.stdout.readline():
                self._is_ready(post)
            code = await process.wait()
            del self._running[post.name]
            if self._stopping:
                return
            if post.name not in self._ready:
                raise CommandError(f"the process {post.name!r} {_ended(code)} before it was ready; it said why")
            pause = FIRST_PAUSE if loop.time() - began > STEADY else pause
            self._log.error(
                "a process ended: another takes its place", process=post.name, pid=process.pid, how=_ended(code),
                seconds=pause,
            )  # fmt: skip
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _is_ready(self, post: Post) -> None:
        self._ready.add(post.name)
        self._log.info("a process is ready", process=post.name, pid=self._running[post.name].pid)
        if len(self._ready) == len(self._posts):
            self._all_ready.set()

    async def _end(self, keeping: "Mapping[str, asyncio.Task[None]]") -> None:
        """Asks all to end, and ends those that take too long."""
        for post in self._posts:
            if post.listening is not None:
                post.listening.close()  # nobody will take what comes from now on: it is refused, not left waiting
        for name, task in keeping.items():
            if name not in self._running:
                task.cancel()  # it waits for its next process
        self._signal(signal.SIGTERM)
        _, late = await asyncio.wait(keeping.values(), timeout=LONGEST_END)
        if late:
            self._log.error("processes did not end: killed", processes=sorted(self._running), seconds=LONGEST_END)
            self._signal(signal.SIGKILL)
            await asyncio.wait(late)

    def _signal(self, number: signal.Signals) -> None:
        for process in self._running.values():
            if process.returncode is None:
                process.send_signal(number)


async def _start(post: Post, parent: int) -> asyncio.subprocess.Process:
    """Its standard error is ours, so that all write one log."""
    inherited = Inherited(parent, post.listening.fileno(), post.shared) if post.listening else Inherited(parent)
    words = (sys.executable, "-m", "smsdesk", *post.words, *inherited.words())
    return await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE, pass_fds=inherited.given)


def _ended(code: int) -> str:
    return f"was killed by signal {-code}" if code < 0 else f"ended with {code}"
