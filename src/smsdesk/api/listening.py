"""Taking new connections: as many as wait, not one in each turn of the loop (docs/adr/0035-overload.md)."""

import asyncio
import errno
import socket
from collections.abc import Callable

import structlog

AT_ONCE = 64
"""Connections taken in one turn of the loop at most: some 5 milliseconds, in which nobody is answered."""
PAUSE = 1.0
"""Seconds in which none is taken after the system gave no more: asyncio's own time for that."""
NO_ROOM = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

log = structlog.get_logger()


class Listener:
    """Takes the connections of a listening socket until it is closed, as the server of a loop's `create_server` does.

    libuv's own, from 1.45 on, takes one in each turn of the loop. A turn of a server under load is long: those who
    connect would wait for seconds, and at last find the kernel's queue full, unseen by whoever decides how many may
    wait.
    """

    def __init__(self, listening: socket.socket, protocol: Callable[[], asyncio.Protocol]) -> None:
        """`listening` blocks no more from now on; it stays the caller's to close, after this."""
        listening.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self._listening = listening
        self._protocol = protocol
        self._beginning: set[asyncio.Task[object]] = set()
        self._paused: asyncio.TimerHandle | None = None
        self._closed = False
        self._listen()

    def close(self) -> None:
        """Takes no more."""
        if self._closed:
            return
        self._closed = True
        if self._paused is None:
            self._loop.remove_reader(self._listening)
        else:
            self._paused.cancel()

    async def wait_closed(self) -> None:
        """Returns when those that were taken have begun."""
        if self._beginning:
            await asyncio.wait(self._beginning)

    def _listen(self) -> None:
        self._paused = None
        self._loop.add_reader(self._listening, self._take)

    def _take(self) -> None:
        for _ in range(AT_ONCE):
            try:
                taken, _ = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in NO_ROOM:
                    raise
                self._rest(error)
                return
            taken.setblocking(False)
            begins = self._loop.create_task(self._begin(taken))
            self._beginning.add(begins)
            begins.add_done_callback(self._beginning.discard)

    async def _begin(self, taken: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._protocol, taken)
        except OSError:  # it has gone already
            taken.close()

    def _rest(self, error: OSError) -> None:
        """The connections wait in the kernel: asking again at once would take all of the loop's time."""
        log.error("no more connections", error=error.strerror)
        self._loop.remove_reader(self._listening)
        self._paused = self._loop.call_later(PAUSE, self._listen)
