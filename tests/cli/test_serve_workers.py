"""`smsdesk serve --workers N`: one port, several processes, none of which outlives its parent."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.kit.cluster import ended
from tests.kit.processes import START_SECONDS, STOP_SECONDS, environment, free_port, smsdesk, until

START = 3 * START_SECONDS
"""Four processes begin at once, on cores that others share."""
SETUP = """
tenant: acme
carriers: [{name: lab, type: lab}]
queues: [{name: Support}]
numbers: [{number: "+16285550199", carrier: lab, queue: Support}]
"""


class Family:
    """`smsdesk serve --workers 2` and its processes."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder, self.database = folder, database
        self.port = free_port()
        self.parent: subprocess.Popen[bytes] | None = None

    async def start(self, *words: str) -> str:
        """What it said when it was ready, or that it ended instead."""
        self._launch(*words)

        async def said() -> str | None:
            assert self.parent is not None
            text = (self.folder / "out").read_text()
            return text if text.endswith("\n") else "ended" if self.parent.poll() is not None else None

        return str(await until(said, START, "ready, or the end"))

    def _launch(self, *words: str) -> None:
        command = [sys.executable, "-m", "smsdesk", "serve", "--workers", "2", "--port", str(self.port)]
        with (self.folder / "out").open("wb") as out, (self.folder / "err").open("wb") as err:
            self.parent = subprocess.Popen(
                [*command, "--data", str(self.folder), *words], stdout=out, stderr=err,
                env=environment(self.database), cwd="/",
            )  # fmt: skip

    def children(self) -> dict[str, list[int]]:
        """The processes by role, oldest first."""
        assert self.parent is not None
        listed = subprocess.run(
            ["/bin/ps", "-o", "pid=,args=", "--ppid", str(self.parent.pid)], capture_output=True, text=True, check=False
        ).stdout
        found: dict[str, list[int]] = {"api": [], "worker": []}
        for line in listed.splitlines():
            if role := re.search(r"--role (\w+)", line):
                found[role[1]].append(int(line.split()[0]))
        return found

    async def gone(self, pids: list[int]) -> None:
        """Waits until none of them lives."""

        async def all_ended() -> bool:
            return all(ended(pid) for pid in pids)

        await until(all_ended, STOP_SECONDS, "the end of the processes")


@pytest.fixture
def family(tmp_path: Path, database: str) -> Iterator[Family]:
    tmp_path.chmod(0o755)
    made = Family(tmp_path, database)
    yield made
    if made.parent is not None and made.parent.poll() is None:
        made.parent.terminate()
        made.parent.wait(STOP_SECONDS)


def connections(pid: int) -> int:
    """The sockets that a process has open."""
    sockets = 0
    for each in Path(f"/proc/{pid}/fd").iterdir():
        sockets += str(each.readlink()).startswith("socket:")
    return sockets


Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def close(lines: list[Line]) -> None:
    """Ends them, also those that were reset."""
    for _, writer in lines:
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for _, writer in lines), return_exceptions=True)


async def held(port: int, count: int) -> list[Line]:
    """Connections, each of which got an answer and stays open."""
    lines = [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]

    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await asyncio.wait_for(reader.readline(), START)).split()[1] == b"200"

    await asyncio.gather(*(ask(*line) for line in lines))
    return lines


async def test_connections_are_shared_out_and_one_that_dies_loses_none_that_it_had_not_taken(family: Family) -> None:
    assert await family.start() == f"ready on http://127.0.0.1:{family.port}\n"
    born = family.children()
    assert (len(born["api"]), len(born["worker"])) == (2, 1)
    before = [connections(pid) for pid in born["api"]]
    lines = await held(family.port, 40)
    taken = [connections(pid) - was for pid, was in zip(born["api"], before, strict=True)]
    assert sum(taken) >= 40
    assert min(taken) >= 8, "the kernel shares out by the addresses: 20 each, give or take 3"

    os.kill(born["api"][0], signal.SIGKILL)
    lines += await held(family.port, 20)  # a part of them waits for the process that follows

    async def followed() -> bool:
        return len(family.children()["api"]) == 2

    await until(followed, START, "another process in its place")
    assert born["api"][1] in family.children()["api"]
    assert "another takes its place" in (family.folder / "err").read_text()
    await close(lines)


async def test_all_end_with_the_parent_in_good_order_and_after_its_sudden_death(family: Family) -> None:
    await family.start()
    assert family.parent is not None
    born = family.children()
    pids = [*born["api"], *born["worker"]]
    family.parent.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(family.parent.wait, STOP_SECONDS) == 0
    assert all(ended(pid) for pid in pids)

    await family.start()
    born = family.children()
    family.parent.kill()
    await family.gone([*born["api"], *born["worker"]])


async def test_what_cannot_start_is_told_and_nothing_stays(family: Family) -> None:
    with socket.create_server(("127.0.0.1", family.port), reuse_port=True):
        assert await family.start() == "ended"
        assert f"port {family.port} on 127.0.0.1 cannot be used" in (family.folder / "err").read_text()
    assert family.parent is not None
    assert family.parent.wait() == 1


async def test_a_worker_of_its_own_is_none_of_the_api(family: Family) -> None:
    assert await family.start("--role", "worker") == "ready\n"
    assert [len(family.children()[role]) for role in ("api", "worker")] == [0, 2]


async def set_up(family: Family, setup: str = SETUP) -> str:
    """A tenant; returns how its token is shown to the API."""
    (family.folder / "acme.yaml").write_text(setup)
    folder, database = family.folder, family.database
    await smsdesk("apply", str(folder / "acme.yaml"), "--yes", folder=folder, database=database)
    token = await smsdesk("token", "create", "acme", "x", folder=folder, database=database)
    return aiohttp.encode_basic_auth("acme", token.split()[-1])


async def test_a_key_is_one_over_all_processes(family: Family) -> None:
    headers = {"Authorization": await set_up(family), "Idempotency-Key": "order 77"}
    body = {"chat_type": "SMS", "end_user_number": "+14155550101", "outbound_number": "+16285550199", "message": "hi"}
    await family.start()

    async def ask() -> tuple[int, str]:
        """Over a connection of its own, so that both processes are asked, and at one moment."""
        url = f"http://127.0.0.1:{family.port}/apps/api/v1/sms"
        async with aiohttp.ClientSession() as http, http.post(url, json=body, headers=headers) as answer:
            return answer.status, await answer.text()

    answers = set(await asyncio.gather(*(ask() for _ in range(16))))
    assert [status for status, _ in answers] == [200], "one chat, and the same answer for all"


async def test_requests_a_second_are_counted_once_over_all_processes(family: Family) -> None:
    rate = 25
    headers = {"Authorization": await set_up(family, f"{SETUP}settings: {{requests_per_second: {rate}}}\n")}
    await family.start("--role", "api")
    url = f"http://127.0.0.1:{family.port}/apps/api/v1/sms?dry_run=true"
    body = {"chat_type": "SMS", "end_user_number": "+14155550101", "outbound_number": "+16285550199", "message": "hi"}
    began = time.monotonic()

    async def ask(times: int) -> list[int]:
        async with aiohttp.ClientSession(headers=headers) as http:
            found = []
            for _ in range(times):
                async with http.post(url, json=body) as answer:
                    found.append(answer.status)
            return found

    # All of it over one connection, so from one process: it has not only its share.
    assert await ask(rate) == [200] * rate
    answers = [status for found in await asyncio.gather(*(ask(5) for _ in range(40))) for status in found]
    answers += [200] * rate
    assert set(answers) == {200, 429}
    assert answers.count(200) <= rate * (1 + time.monotonic() - began)
