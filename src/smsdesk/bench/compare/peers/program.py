"""Programs of others as processes of ours: started with a log, killed, ended."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from smsdesk.bench.processes import family
from smsdesk.bench.rig import STOP_LIMIT, BenchError

LOOK = 0.05


class Program:
    """One process, in a session of its own so that Ctrl-C at a terminal leaves its end to us."""

    def __init__(self, name: str, words: Sequence[str], folder: Path, environ: Mapping[str, str] | None = None) -> None:
        self.name = name
        self._log = folder / f"{name}.out"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                words, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, **(environ or {})},
            )  # fmt: skip
        self.pid = self._process.pid

    def wait_until(self, ready: Callable[[], bool], limit: float) -> None:
        """Returns when it is ready. Raises BenchError where it ends before or takes more than `limit` seconds."""
        until = time.monotonic() + limit
        while not ready():
            if self._process.poll() is not None or time.monotonic() > until:
                raise BenchError(f"{self.name} does not run; the end of its log:\n{self._said()}")
            time.sleep(LOOK)

    def kill(self) -> None:
        """Ends it as a power cut would, with all that it started."""
        for pid in family(self.pid) or (self.pid,):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """Ends it in good order, or in any after STOP_LIMIT."""
        started = family(self.pid)
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_LIMIT)
        until = time.monotonic() + STOP_LIMIT
        while any(family(pid) for pid in started[1:]) and time.monotonic() < until:
            time.sleep(LOOK)
        for pid in started:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def _said(self) -> str:
        return "\n".join(self._log.read_text("utf-8", "replace").strip().splitlines()[-10:])


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens on at the moment."""
    listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [each.getsockname()[1] for each in listening]
    for each in listening:
        each.close()
    return ports


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
