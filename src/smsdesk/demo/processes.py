"""The demo's processes: a lab and a server, each a child of ours that ends with us."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

START_LIMIT = 60.0
"""Seconds that a process may take until it is ready."""
STOP_LIMIT = 15.0


class DemoError(Exception):
    """The demo cannot go on; the text says why and what to do."""


def free_port(host: str = "127.0.0.1", wanted: int = 0) -> int:
    """The wanted port where it is free, else any that is."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise DemoError(f"there is no free port on {host}")


@asynccontextmanager
async def child(name: str, arguments: list[str], environ: Mapping[str, str], log: Path) -> AsyncIterator[str]:
    """Runs `python -m ARGUMENTS` until the block ends; yields the first line that it prints, which says it is ready.

    Raises DemoError with the end of its log where it ends before.
    """
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *arguments, env={**os.environ, **environ}, stdout=asyncio.subprocess.PIPE,
            stderr=errors, start_new_session=True,
        )  # fmt: skip
    try:
        assert process.stdout is not None
        try:
            line = await asyncio.wait_for(process.stdout.readline(), START_LIMIT)
        except TimeoutError:
            line = b""
        if not line:
            raise DemoError(f"the {name} did not start: {_end_of(log)}")
        yield line.decode().strip()
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), STOP_LIMIT)
            except TimeoutError:
                process.kill()
                await process.wait()


def _end_of(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return f"{lines[-1]} (all of it in {log})" if lines else f"see {log}"
