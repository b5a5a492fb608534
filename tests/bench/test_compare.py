"""A comparison counts what phones have, believes a sync only between request and answer, and leaves nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from smsdesk.bench.bare_line import feed
from smsdesk.bench.compare.compare import bench_compare, headlines
from smsdesk.bench.compare.durable import Durable, ends_of_syncs
from smsdesk.bench.compare.kill import Kill, kill_under_load
from smsdesk.bench.compare.lab import ComparedLab, LabStats
from smsdesk.bench.compare.peers import kannel
from smsdesk.bench.compare.peers.kannel import Kannel
from smsdesk.bench.compare.peers.peer import OURS, Place
from smsdesk.bench.compare.peers.phones import phone
from smsdesk.bench.compare.table import Side, lines
from smsdesk.bench.processes import family
from smsdesk.bench.requests import SendRequests
from smsdesk.bench.rig import run
from tests.bench.progress import split
from tests.bench.test_bench import LIMIT

pytestmark = pytest.mark.xdist_group("bench")
needs_kannel = pytest.mark.skipif(not kannel.installed(), reason="Kannel is not installed: apt-get install kannel")
TEXTS = 300
SLOW = 400.0


def test_the_phones_are_those_of_our_requests() -> None:
    requests = SendRequests("127.0.0.1", ("bench", "token"), OURS)
    for n in (0, 9_999, 10_000, 123_456):
        assert f'"{phone(n)}"'.encode() in requests(n)


GATEWAY = """
import asyncio, sys

async def talk(reader, writer):
    while line := await reader.readline():
        if line.startswith(b"GET"):
            print(line.split()[1][1:].decode(), file=open(sys.argv[1], "a"), flush=True)
            writer.write(b"HTTP/1.1 202 Accepted\\r\\nContent-Length: 0\\r\\n\\r\\n")

async def serve():
    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(serve())
"""


class Gateway:
    """A process that answers 202 to everything and writes down whom it was asked for."""

    name, most_texts, quiet, chunked = "gateway", 1_000, 2.5, False

    def __init__(self, folder: Path) -> None:
        self.taken = folder / "taken.txt"
        self.restart()

    def request(self, n: int) -> bytes:
        return f"GET /{phone(n)} HTTP/1.1\r\n\r\n".encode()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def restart(self) -> None:
        words = [sys.executable, "-c", GATEWAY, str(self.taken)]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def held(self, numbers: Sequence[str]) -> int:
        return len(numbers)


class Delivering(ComparedLab):
    """All that the gateway was asked for arrives once the load is over, but for the first text; the last one twice."""

    gateway: Gateway
    delivered = False

    def stats(self) -> LabStats:
        if not self.delivered:
            self.delivered = True
            _, *numbers = self.gateway.taken.read_text().split()
            run(feed(self.smpp_port, OURS, [*numbers, numbers[-1]], "hello"))
        return super().stats()


def test_what_was_lost_and_doubled_is_counted_at_the_phones(tmp_path: Path) -> None:
    with ExitStack() as ends:
        lab, gateway = Delivering(tmp_path, ends), Gateway(tmp_path)
        ends.callback(gateway.kill)
        lab.gateway = gateway
        found = kill_under_load(gateway, gateway, lab, TEXTS)  # type: ignore[arg-type]  # one object for both
    assert (found.asked, found.lost, found.listed, found.doubled) == (TEXTS, 1, 1, 1)
    assert TEXTS // 3 <= found.answered <= TEXTS


SYNCS = """
11 1763850000.100000 fdatasync(7) = 0 <0.002000>
12 1763850000.200000 fsync(9 <unfinished ...>
12 1763850000.250000 <... fsync resumed>) = 0 <0.050000>
13 1763850000.300000 fsync(9) = -1 EIO (Input/output error) <0.001000>
13 1763850000.400000 +++ exited with 0 +++
"""


def test_a_sync_counts_from_its_end_and_only_when_it_succeeded() -> None:
    assert ends_of_syncs(SYNCS) == pytest.approx([1763850000.102, 1763850000.25], rel=0, abs=1e-4)


def side(name: str, **figures: float) -> Side:
    kill = Kill(9, 8, int(figures.get("lost", 0)), int(figures.get("listed", 0)), int(figures.get("doubled", 0)))
    rates = (figures.get("accepted", 10.0), 1.0, figures.get("queue", 10.0), figures.get("end", 10.0))
    return Side(name, "1", Durable(True, 20, 3), kill, *rates, 5.0, 6.0)


def test_the_promises_are_made_beside_kannel_with_its_store() -> None:
    ours = side("smsdesk", accepted=9.0, queue=6.0, lost=3, listed=2)
    found = headlines((ours, side("Kannel"), side("Jasmin", accepted=3.0)))
    assert [(each.value, each.least, each.kept) for each in found[:3]] == [
        (0.9, 1.0, False), (0.6, 0.5, True), (1.0, None, True),
    ]  # fmt: skip
    assert [(each.value, each.least) for each in found[3:6]] == [(3.0, None), (0.6, None), (1.0, None)]
    assert (found[6].value, found[6].most, found[6].kept) == (1.0, 0, False)


def test_the_table_says_how_durability_was_found_out() -> None:
    said = dict(lines(side("Kannel", lost=2, listed=1)))
    assert said["durable at accept"] == "no: 3 of 20 synced"
    assert said["lost after kill -9"] == "2 of 8, 1 of them listed"
    assert (
        dict(lines(msgspec.structs.replace(side("x"), durable=Durable(False))))["durable at accept"] == "not looked at"
    )


@needs_kannel
def test_kannel_runs_as_it_is_set_up_and_ends(tmp_path: Path) -> None:
    with ExitStack() as ends:
        lab = ComparedLab(tmp_path, ends)
        peer = Kannel(store=True).start(Place(tmp_path, lab, 9, ends))
        pids = list(peer.roots().values())
        assert (lab.stats().bound, len(pids)) == (1, 2)
        peer.kill()
        assert not any(family(pid) for pid in pids)
        peer.restart()
        assert not set(pids) & set(peer.roots().values())
        pids = list(peer.roots().values())
    assert not any(family(pid) for pid in pids)


def compare(*words: str, **environ: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "smsdesk", "bench", "compare", "--seconds", "1", "--rounds", "1", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, env=os.environ | environ,
    )  # fmt: skip


@pytest.mark.slow
@needs_kannel
def test_all_that_are_here_are_measured_and_nothing_is_left(place: Path) -> None:
    with compare("--texts", "1500", "--json", SMSDESK_JASMIN=str(place)) as process:
        said, errors = process.communicate(timeout=SLOW)
    assert (process.returncode, split(errors)[1]) == (0, "")
    assert not any(place.iterdir())
    found = json.loads(said)
    assert [each["name"] for each in found["sides"]] == ["smsdesk", "Kannel", "Kannel without a store"]
    assert found["machine"]["Jasmin"].startswith("not installed")
    ours, theirs, _ = found["sides"]
    for each in found["sides"]:
        assert all(each[name] > 0 for name in ("accepted", "accepted_meanwhile", "from_queue", "to_the_end", "cpu_us"))
    assert (ours["kill"]["lost"] - ours["kill"]["listed"], ours["kill"]["doubled"]) == (0, 0)
    if ours["durable"]["looked"]:
        assert ours["durable"]["synced"] == ours["durable"]["requests"]
        assert theirs["durable"]["synced"] < theirs["durable"]["requests"]


@pytest.mark.slow
@needs_kannel
def test_ctrl_c_ends_the_others_as_well(place: Path) -> None:
    with compare("--texts", "500000", SMSDESK_JASMIN=str(place)) as process:
        until = time.monotonic() + LIMIT
        while len(started := family(process.pid)) < 5:  # itself, the lab, the reports, a gateway's two or more
            assert process.poll() is None
            assert time.monotonic() < until
            os.sched_yield()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=LIMIT)
    assert process.returncode != 0
    assert not any(place.iterdir())
    assert all(not family(pid) for pid in started)


def test_nobody_to_compare_with_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kannel, "PATH", "/nowhere")
    monkeypatch.setenv("SMSDESK_JASMIN", "/nowhere")
    with pytest.raises(Exception, match=r"Kannel is not installed: apt-get install kannel; Jasmin is not installed"):
        bench_compare(None, print)  # type: ignore[arg-type]  # it is not looked at
