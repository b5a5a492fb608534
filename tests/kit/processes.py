"""Real processes of ours, which tests start, watch, stop and kill; and the one way to wait for something."""

import asyncio
import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

START_SECONDS = 60.0
STOP_SECONDS = 60.0


async def until(condition: Callable[[], Awaitable[T]], seconds: float, what: str) -> T:
    """The first true value of the condition; AssertionError with `what` was awaited after so many seconds."""
    end = time.monotonic() + seconds
    while True:
        if found := await condition():
            return found
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(0.02)


def free_port() -> int:
    """A free port below those that outgoing connections get: while a server is down, the attempts of its own clients
    could take a port from among those."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def environment(database: str | None, **more: str) -> dict[str, str]:
    """The environment of a process of ours, with nothing that the developer has set for himself."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SMSDESK_")}
    return {**kept, **({"SMSDESK_DATABASE_URL": database} if database else {}), **more}


class Server:
    """`smsdesk serve` as a process of its own. What it says goes to files in `folder`."""

    def __init__(self, folder: Path, role: str = "all", database: str | None = None, **environ: str) -> None:
        """`folder` is the data folder; `database` is used in place of its embedded PostgreSQL; `environ` is added."""
        self.folder = folder
        self.role = role
        self.base_url = ""
        self._environment = environment(database, UPSTREAM_PASSWORD="sesame", **environ)
        self._process: subprocess.Popen[bytes] | None = None
        self._port = free_port()
        self._starts = 0

    @property
    def errors(self) -> str:
        """What the latest process wrote to standard error."""
        return self._file("err").read_text(errors="replace")

    @property
    def complaints(self) -> str:
        """The errors that its processes logged, the latest last, for whoever looks into a failure."""
        logs = sorted(self.folder.glob(f"serve-{self.role}-{id(self):x}-*.err"))
        lines = [line[:3000] for log in logs for line in log.read_text(errors="replace").splitlines()]
        return "\n".join([line for line in lines if '"level": "error"' in line][-10:] + lines[-20:])

    async def start(self) -> None:
        """Returns when it says that it is ready. It keeps its port over restarts."""
        self._starts += 1
        words = ["serve", "--role", self.role, "--port", str(self._port), "--data", str(self.folder)]
        self._launch([sys.executable, "-m", "smsdesk", *words])
        said = await until(self._ready, START_SECONDS, f"smsdesk {' '.join(words)} is ready")
        if said and " on " in said:
            self.base_url = said.rpartition(" ")[2].strip()

    async def stop(self) -> int:
        """Asks it to end, and gives its exit code."""
        assert self._process is not None
        process = self._process
        process.terminate()

        async def ended() -> bool:
            return process.poll() is not None

        await until(ended, STOP_SECONDS, "the end of the server")
        return process.wait()

    def kill(self) -> None:
        """SIGKILL. The process is gone when this returns."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(timeout=10)

    def signal(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def remove(self) -> None:
        """Leaves no process behind, whatever the test did."""
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def _file(self, kind: str) -> Path:
        return self.folder / f"serve-{self.role}-{id(self):x}-{self._starts}.{kind}"

    def _launch(self, command: list[str]) -> None:
        with self._file("out").open("wb") as out, self._file("err").open("wb") as err:
            self._process = subprocess.Popen(command, stdout=out, stderr=err, env=self._environment, cwd="/")

    async def _ready(self) -> str | None:
        assert self._process is not None
        said = self._file("out").read_text()
        if not said.endswith("\n"):
            assert self._process.poll() is None, f"the server ended with {self._process.returncode}: {self.errors}"
            return None
        return next((line for line in said.splitlines() if line.startswith("ready")), None)


@asynccontextmanager
async def serving(
    folder: Path, role: str = "all", database: str | None = None, **environ: str
) -> AsyncIterator[Server]:
    """A server that runs in this block, and no longer, with these variables in its environment."""
    server = Server(folder, role, database, **environ)
    try:
        await server.start()
        yield server
    except BaseException:
        print(f"{role} said:\n{server.complaints}")
        raise
    finally:
        server.remove()


async def smsdesk(*words: str, folder: Path, database: str | None = None) -> str:
    """Runs one command to its end; gives what it printed, AssertionError with what it complained of."""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "smsdesk", *words, "--data", str(folder)],
        env=environment(database, UPSTREAM_PASSWORD="sesame"), capture_output=True, text=True, timeout=START_SECONDS,
        check=False, cwd="/",
    )  # fmt: skip
    assert done.returncode == 0, f"smsdesk {' '.join(words)}: {done.stderr}"
    return done.stdout
