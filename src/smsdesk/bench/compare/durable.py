"""Whether an answer waits for the disk: the system calls of a gateway between a request and its answer."""

import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import msgspec

from smsdesk.bench.compare.peers.peer import Kind, Peer
from smsdesk.bench.load import Plan, load
from smsdesk.bench.processes import family
from smsdesk.bench.rig import STOP_LIMIT, BenchError, run

REQUESTS = 20
PAUSE = 0.02
"""Seconds between an answer and the next request, so that no write of one falls into the time of another."""
CALLS = "fsync,fdatasync,sync,syncfs,sync_file_range,msync"
_CALL = re.compile(r"(\d+\.\d+) (?:<\.\.\. )?(\w+)[ (].*= (-?\d+).*<(\d+\.\d+)>$")
"""A call that has returned, by `strace -ttt -T`: when it began (or was resumed), its result, its seconds."""


class Durable(msgspec.Struct, frozen=True):
    """Of `requests` one by one, `synced` were answered after a sync to the disk that ended while they were open.
    `looked` is False where there is no strace."""

    looked: bool
    requests: int = 0
    synced: int = 0

    @property
    def word(self) -> str:
        """For a table."""
        if not self.looked:
            return "not looked at"
        return "yes" if self.synced == self.requests else "no"


def look_at_syncs(kind: Kind, peer: Peer, folder: Path, first: int) -> Durable:
    """Asks for texts to the phones from `first` on, one after another, under strace(1)."""
    strace = shutil.which("strace")
    if strace is None:
        return Durable(looked=False)
    log = folder / "syncs.txt"
    pids = ",".join(str(pid) for root in peer.roots().values() for pid in family(root))
    words = [strace, "-f", "-ttt", "-T", "-e", f"trace={CALLS}", "-o", str(log), "-p", pids]
    tracer = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _attached(tracer, kind)
        asked = _ask(kind, peer, first)
    finally:
        tracer.send_signal(signal.SIGINT)
        try:
            tracer.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            tracer.kill()
            tracer.wait()
        if tracer.stderr is not None:
            tracer.stderr.close()
    ends = ends_of_syncs(log.read_text("utf-8", "replace"))
    return Durable(True, len(asked), sum(any(began < end < ended for end in ends) for began, ended in asked))


def ends_of_syncs(said: str) -> list[float]:
    """Seconds since 1970 at which calls returned that brought data to the disk."""
    ends = []
    for line in said.splitlines():
        found = _CALL.search(line)
        if found and found[3] == "0":
            resumed = "resumed>" in line  # its time is that of its return, not of its beginning
            ends.append(float(found[1]) + (0.0 if resumed else float(found[4])))
    return ends


def _attached(tracer: "subprocess.Popen[bytes]", kind: Kind) -> None:
    """strace says a line for each process that it has attached to; the first is enough, the pause is for the rest."""
    assert tracer.stderr is not None
    said = tracer.stderr.readline()
    if b"attached" not in said:
        raise BenchError(f"strace cannot look at {kind.name}: {said.decode(errors='replace').strip()}")
    time.sleep(1)


def _ask(kind: Kind, peer: Peer, first: int) -> list[tuple[float, float]]:
    """When each request was made and answered, in seconds since 1970."""
    asked = []
    for number in range(first, first + REQUESTS):
        plan = Plan("127.0.0.1", peer.port, 1, requests=1, chunked=kind.chunked)
        began = time.time()
        result = run(load(plan, lambda _, number=number: peer.request(number)))  # type: ignore[misc]
        asked.append((began, time.time()))
        if result.errors:
            raise BenchError(f"{kind.name} does not accept a single text: {result.samples or result.faults}")
        time.sleep(PAUSE)
    return asked
