"""One gateway's turn in a comparison: to the end, accepted alone, from the queue."""

import time
from dataclasses import dataclass
from pathlib import Path

from smsdesk.bench.compare.lab import ComparedLab, LabStats
from smsdesk.bench.compare.peers.peer import Kind, Peer
from smsdesk.bench.load import LoadResult, Plan, load
from smsdesk.bench.processes import PROC, Meter, Usage, family
from smsdesk.bench.rig import BenchError, run

LOOK = 0.05
"""Seconds between two looks at the lab's counters."""
LIMIT = 90.0
"""Seconds after which texts that do not end are given up."""
DRAIN_LIMIT = 5.0
"""Seconds that a queue is watched at most: the rate is of what left in that time."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one gateway did in one round. Rates are a second; `used` is CPU and memory of a way to the end."""

    to_the_end: float
    accepted_meanwhile: LoadResult
    texts: int
    used: dict[str, Usage]
    resident_mb: float
    """Proportional set size of all processes, summed: what they share counts once."""
    accepted: LoadResult
    from_queue: float


def take_turn(kind: Kind, peer: Peer, lab: ComparedLab, wishes: tuple[int, int, int]) -> Turn:
    """Measures a gateway that was started for it. `wishes` are connections, texts to the end, and seconds of accepting
    with nothing sent meanwhile. Raises BenchError where a request is not answered 2xx or a text does not end."""
    connections, texts, seconds = wishes
    texts = min(texts, kind.most_texts)
    lab.clear()
    meter, began = Meter(peer.roots()), time.monotonic()
    plan = Plan("127.0.0.1", peer.port, connections, requests=texts, chunked=kind.chunked)
    meanwhile = _checked(kind, run(load(plan, peer.request)))
    _wait(kind, lab, texts)
    rate, used, memory = texts / (time.monotonic() - began), meter.look(), resident_mb(peer.roots())
    arrived = lab.numbers()
    if not len(arrived) == len(set(arrived)) == texts:
        raise BenchError(f"{kind.name}: {texts} texts were accepted, {len(arrived)} arrived at {len(set(arrived))}")
    peer.hold()
    plan = Plan("127.0.0.1", peer.port, connections, seconds=seconds, warm_up=1.0, chunked=kind.chunked)
    accepted = _checked(kind, run(load(plan, lambda n: peer.request(texts + n))))
    lab.clear()
    peer.release()
    queued = min(accepted.answered, texts)
    return Turn(rate, meanwhile, texts, used, memory, accepted, _drain(kind, lab, queued))


def resident_mb(roots: dict[str, int]) -> float:
    """Megabytes of all processes below these, pages that several share divided among them."""
    return sum(_proportional(PROC / str(pid)) for root in roots.values() for pid in family(root)) / 1e6


def _proportional(process: Path) -> int:
    """Pss of smaps_rollup, proc(5), in bytes; 0 of a process that is gone."""
    try:
        lines = (process / "smaps_rollup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def _checked(kind: Kind, result: LoadResult) -> LoadResult:
    if result.errors or not result.answered:
        causes = [*result.faults, *(f"{status}: {text}" for status, text in result.samples.items()), "no answer"]
        raise BenchError(f"{kind.name}: {result.errors} requests were not accepted: {causes[0][:300]}")
    return result


def _wait(kind: Kind, lab: ComparedLab, texts: int) -> None:
    """Until it has taken the last receipt."""
    until = time.monotonic() + LIMIT
    while (now := lab.stats()).taken < texts:
        if time.monotonic() > until:
            raise BenchError(f"{kind.name}: {now.texts} of {texts} texts arrived, {now.taken} receipts were taken")
        time.sleep(LOOK)


def _drain(kind: Kind, lab: ComparedLab, texts: int) -> float:
    """Receipts taken a second, from the first on, until there are so many or DRAIN_LIMIT is over."""
    until = time.monotonic() + LIMIT
    while not (first := _look(lab))[1].taken:
        if time.monotonic() > until:
            raise BenchError(f"{kind.name}: nothing of its queue arrived {LIMIT:g} s after the line was back")
        time.sleep(LOOK)
    last = first
    while last[1].taken < texts and last[0] - first[0] < DRAIN_LIMIT:
        time.sleep(LOOK)
        last = _look(lab)
    taken, seconds = last[1].taken - first[1].taken, last[0] - first[0]
    if not taken:
        raise BenchError(f"{kind.name}: the queue of {texts} texts left within one look: give more --texts")
    return taken / seconds


def _look(lab: ComparedLab) -> tuple[float, LabStats]:
    return time.monotonic(), lab.stats()
