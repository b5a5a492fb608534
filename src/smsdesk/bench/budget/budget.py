"""Where the microseconds of an accepted send and of a delivered text go, each step beside its bare cost."""

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from itertools import count
from pathlib import Path

import asyncpg

from smsdesk.bench.alone import FIRST_CONSUMER, MESSAGE, arguments
from smsdesk.bench.bare_line import feed
from smsdesk.bench.budget import bare, database, steps
from smsdesk.bench.budget import bare_calls as calls
from smsdesk.bench.budget.measure import Measured, Profiled, profiled
from smsdesk.bench.budget.report import Bare, Budget
from smsdesk.bench.budget.sampler import since
from smsdesk.bench.handsets import clear
from smsdesk.bench.load import Plan, load
from smsdesk.bench.processes import usage
from smsdesk.bench.requests import SendRequests
from smsdesk.bench.rig import OURS, TENANT, BenchError, Child, Rig, run
from smsdesk.store.sends import ACCEPT

LIMIT = 300.0
"""Seconds after which a delivery that does not end is given up."""
POLL = 0.1
QUEUED = 200
"""Texts that are queued by one statement."""
BARE_SECONDS = 2.0
"""Of load on each of the bare servers."""
ARRAYS = 10
"""In which a group of outcomes and receipts is handed over, where none is refused."""
_WAITING = "select exists (select from texts budget_observer)"


@dataclass(frozen=True, slots=True)
class BudgetPlan:
    """`seconds` of load on the API after `warm_up` of them; `texts` are delivered, after a tenth as many."""

    seconds: int = 20
    warm_up: int = 2
    connections: int = 64
    texts: int = 20_000

    accept_steps = 4
    deliver_steps = 4
    """How many measurements each has."""


class _Sends:
    """Load on the API, each send to a consumer of its own."""

    def __init__(self, token: str, connections: int) -> None:
        self._requests = SendRequests("127.0.0.1", (TENANT, token), OURS)
        self._connections = connections
        self.sent = 0

    def next(self, _: int = 0) -> bytes:
        """A request that was never sent."""
        self.sent += 1
        return self._requests(self.sent)

    def load(self, port: int, seconds: float) -> int:
        """How many were sent, and answered with 200. Raises BenchError where one was not."""
        before = self.sent
        result = run(load(Plan("127.0.0.1", port, self._connections, seconds=seconds), self.next))
        if result.errors or not result.answered:
            first = next(iter([*result.samples.values(), *result.faults]), "no answer at all")
            raise BenchError(f"{result.errors} requests were not answered with 200, such as {first}")
        return self.sent - before


def accept_budget(rig: Rig, plan: BudgetPlan, step: Callable[[str], None]) -> Budget:
    """Of an accepted send; the rig's server is to run with budget_database.SETTINGS.

    Raises BenchError where an answer was not 200.
    """
    rig.as_superuser(database.EXTENSION)
    sends = _Sends(rig.token, plan.connections)
    with profiled() as profile:
        child, port = rig.api(profile.under)
        step("the API: warm-up")
        sends.load(port, plan.warm_up)
        step(f"the API: {plan.connections} connections")
        measured = _measure(rig, child, profile, lambda: sends.load(port, plan.seconds))
        answer = _answer(port, sends.next())
        child.stop()
    group = measured.group("accept_sends")
    step("bare servers")
    protocol, asgi = (_bare_server(kind, answer, sends) for kind in ("protocol", "asgi"))
    step("bare calls")
    bares = bare.accept_steps(sends.next(), answer) | _bare_call(rig, max(1, round(group)))
    alone = max(0.0, protocol - bares["write the answer"].us)
    bares[steps.LOOP] = Bare("a plain protocol that answers the same bytes, less its send", alone)
    ours, lost = measured.process("the API process", steps.ACCEPT, bares, Bare("a bare ASGI answer (uvicorn)", asgi))
    theirs = measured.server(run(calls.writing(rig.dsn, measured.row_size())), group)
    title = f"One accepted send, {plan.connections} connections"
    return Budget(
        title, "send", measured.items, (ours, theirs), lost, round(measured.covered, 3), measured.facts(group)
    )


def deliver_budget(rig: Rig, plan: BudgetPlan, step: Callable[[str], None]) -> Budget:
    """Of a text from the queue to its recorded receipt; settings as above. Raises BenchError where one does not end."""
    rig.as_superuser(database.EXTENSION)
    lab, numbers = rig.lab(), count(0, plan.texts)
    with profiled() as profile:
        child = rig.worker(profile.under)
        step("the worker: warm-up")
        run(_queue(rig, next(numbers), plan.texts // 10))
        run(_ended(rig, child))
        step(f"the worker: {plan.texts} texts")

        def deliver() -> int:
            run(_ended(rig, child))
            return plan.texts

        measured = _measure(rig, child, profile, deliver, lambda: run(_queue(rig, next(numbers), plan.texts)))
        child.stop()
    step("our SMPP client alone")
    alone = _bare_client(rig, next(numbers), plan.texts)
    lab.stop()
    step("bare calls")
    group = measured.group("claim_texts")
    bares = bare.deliver_steps() | _bare_records(rig, max(1, round(group)))
    ours, lost = measured.process("the worker process", steps.DELIVER, bares, Bare("our SMPP client alone", alone))
    theirs = measured.server(run(calls.writing(rig.dsn, measured.row_size())), group)
    title = "One delivered text, from the queue to its recorded receipt: one line, window 50"
    return Budget(
        title, "text", measured.items, (ours, theirs), lost, round(measured.covered, 3), measured.facts(group)
    )


def _bare_call(rig: Rig, group: int) -> dict[str, Bare]:
    """Of the step that calls the accept statement."""
    sends = arguments(rig.tenant_id, OURS, datetime.now(UTC), 0, group)
    call = run(calls.calling(rig.dsn, ACCEPT, sends)) / group
    return {"call the statement": Bare(f"asyncpg, as many arguments, {group} in a call", call)}


def _bare_records(rig: Rig, group: int) -> dict[str, Bare]:
    """Of the steps of a delivery that call the database."""
    fetched = run(calls.fetching(rig.dsn, group)) / group
    found = {"claim": Bare(f"asyncpg, as many rows, {group} in a call", fetched)}
    call = run(calls.recording(rig.dsn, ARRAYS)) / bare.GROUP
    found["record outcomes and receipts"] = Bare(f"asyncpg, {ARRAYS} arrays of {bare.GROUP} words", call)
    return found


def _measure(
    rig: Rig, child: Child, profile: Profiled, work: Callable[[], int], prepare: Callable[[], None] = lambda: None
) -> Measured:
    """What happens while `work` is done, which says how many items it was; the process stands still in `prepare`."""
    first, used = profile.read(child), _cpu(child)
    os.kill(child.pid, signal.SIGSTOP)
    try:
        prepare()
        before = run(database.look(rig.dsn, rig.postmaster, rig.server_log))
    finally:
        os.kill(child.pid, signal.SIGCONT)
    items = work()
    cpu, last, after = (
        _cpu(child) - used,
        profile.read(child),
        run(database.look(rig.dsn, rig.postmaster, rig.server_log)),
    )
    return Measured(items, since(first, last), cpu, before, after)


def _cpu(child: Child) -> float:
    """Seconds that a process used so far. Raises BenchError where it is gone."""
    child.check()
    found = usage(child.pid)
    return found.cpu_seconds if found else 0.0


def _answer(port: int, request: bytes) -> bytes:
    """The whole answer to a request, as its bytes were sent."""
    head, _, body = request.partition(b"\r\n\r\n")
    line, *rest = head.decode().split("\r\n")
    connection = HTTPConnection("127.0.0.1", port, timeout=LIMIT)
    try:
        connection.request(line.split()[0], line.split()[1], body, dict(each.split(": ", 1) for each in rest))
        answer = connection.getresponse()
        headers = "".join(f"{name}: {value}\r\n" for name, value in answer.getheaders())
        return f"HTTP/1.1 {answer.status} {answer.reason}\r\n{headers}\r\n".encode() + answer.read()
    finally:
        connection.close()


def _bare_server(kind: str, answer: bytes, sends: _Sends) -> float:
    """CPU microseconds of a server that only answers, for each request."""
    with tempfile.TemporaryDirectory(prefix="budget") as folder:
        file = Path(folder, "answer")
        file.write_bytes(answer)
        words = ("smsdesk.bench.budget.server", kind, str(file))
        child = Child(f"bare {kind}", words, Path(folder), dict(os.environ))
        try:
            port = int(child.first_line())
            sends.load(port, BARE_SECONDS / 4)
            used = _cpu(child)
            answered = sends.load(port, BARE_SECONDS)
            return (_cpu(child) - used) / answered * 1e6
        finally:
            child.stop()


async def _queue(rig: Rig, first: int, texts: int) -> None:
    """Queues texts in one transaction, and tells the worker."""
    conn = await asyncpg.connect(rig.dsn)
    try:
        now = datetime.now(UTC)
        async with conn.transaction():
            for at in range(0, texts, QUEUED):
                await conn.fetch(ACCEPT, *arguments(rig.tenant_id, OURS, now, first + at, min(QUEUED, texts - at)))
            await conn.execute("select pg_notify('texts', $1)", str(rig.tenant_id))
    finally:
        await conn.close()


async def _ended(rig: Rig, worker: Child) -> None:
    """Waits until all texts have ended. Raises BenchError where they do not."""
    conn = await asyncpg.connect(rig.dsn)
    try:
        until = time.monotonic() + LIMIT
        while await conn.fetchval(_WAITING):
            worker.check()
            if time.monotonic() > until:
                raise BenchError(f"not all texts have ended after {LIMIT:g} s")
            await asyncio.sleep(POLL)
    finally:
        await conn.close()


def _bare_client(rig: Rig, first: int, texts: int) -> float:
    """CPU microseconds of our SMPP client for each text, with its answer and receipt, and nothing written down."""
    clear(rig.lab_http_port)
    numbers = [f"+1{FIRST_CONSUMER + first + k}" for k in range(texts)]
    began = time.process_time()
    run(feed(rig.lab_smpp_port, OURS, numbers, MESSAGE))
    return (time.process_time() - began) / texts * 1e6
