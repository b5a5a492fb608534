"""What a long queue costs: the time to pick the next group with few and with very many texts waiting, and the worker's
memory under them."""

import asyncio
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
import asyncpg

from smsdesk.bench.processes import Meter
from smsdesk.bench.report import Report, Row, cost, headline, ratio
from smsdesk.bench.rig import OURS, TENANT, BenchError, Rig, run

GROUP = 200
CLAIMS = 60
NODE = 1
SHORT, LONG, OTHER = "short", "long", "+16285550150"
SETUP = f"""
tenant: {TENANT}
carriers: [{{name: {SHORT}, type: lab, window: 50}}, {{name: {LONG}, type: lab, window: 50}}]
queues: [{{name: Support}}]
numbers:
  - {{number: "{OURS}", carrier: {SHORT}, queue: Support}}
  - {{number: "{OTHER}", carrier: {LONG}, queue: Support}}
"""
_FIRST = 10**10
_CLAIM = "select * from claim_texts($1, $2, $3, 0, $4, now(), null, null)"

_END_USERS = """
insert into end_users (tenant_id, end_user_id, number, created_at)
select $1, n, '+1' || (200000000000 + n), now() from generate_series($2::bigint, $3::bigint) n
"""
_CHATS = """
insert into chats (tenant_id, chat_id, end_user_id, outbound_number, direction, status, created_at, ends_at)
select $1, n, n, $4, 'outbound', 'finished', now(), now() from generate_series($2::bigint, $3::bigint) n
"""
_MESSAGES = """
insert into messages (tenant_id, chat_id, message_id, sender, body, encoding, parts, created_at)
select $1, n, n, 'api', 'Your order is ready.', 'gsm7', 1, now() from generate_series($2::bigint, $3::bigint) n
"""
_TEXTS = """
insert into texts (tenant_id, message_id, chat_id, carrier_id, kind, source, destination, state, due_at, valid_until,
                   state_at)
select $1, n, n, (select carrier_id from carriers where tenant_id = $1 and name = $5), 'notice', $4,
       '+1' || (200000000000 + n), 'queued', now(), now() + interval '1 day', now()
from generate_series($2::bigint, $3::bigint) n
"""


@dataclass(frozen=True, slots=True)
class BacklogPlan:
    """The two lengths of the queue, and for how many seconds the worker sends from the longer one."""

    few: int = 1_000
    many: int = 1_000_000
    seconds: int = 10

    @property
    def steps(self) -> int:
        """How many measurements there are."""
        return 3


def bench_backlog(rig: Rig, plan: BacklogPlan, step: Callable[[str], None]) -> Report:
    """Measures on a rig with `SETUP`; `step` hears of each measurement before it begins."""
    step(f"queueing {plan.many:,} texts")
    run(_queue(rig, plan))
    step(f"claims with {plan.few:,} and with {plan.many:,} texts queued")
    few, many = run(_claims(rig))
    step(f"a worker with {plan.many:,} texts queued")
    lab, worker = rig.lab(), rig.worker()
    meter = Meter({"worker": worker.pid, "PostgreSQL": rig.postmaster, "lab": lab.pid})
    sent = run(_sending(rig, plan.seconds))
    used = meter.look()
    worker.stop()
    lab.stop()
    rows = (
        Row(f"claims of {GROUP} with {plan.few:,} texts queued", round(1 / few, 1)),
        Row(f"claims of {GROUP} with {plan.many:,} texts queued", round(1 / many, 1)),
        Row("texts sent by the worker meanwhile", round(sent / plan.seconds, 1)),
    )
    return Report(
        f"A long queue: {plan.many:,} texts on one line",
        (
            ratio("claims with the long queue / with the short one, turn by turn", rows[1], rows[0], least=0.8),
            headline("peak memory of the worker process", used["worker"].peak_rss / 1e6, "MB", most=150.0),
        ),
        rows,
        "What a text cost meanwhile",
        tuple(cost(name, one, max(sent, 1)) for name, one in used.items()),
    )


async def _queue(rig: Rig, plan: BacklogPlan) -> None:
    """Fills the two queues."""
    conn = await asyncpg.connect(rig.dsn)
    try:
        for line, number, first, count in ((SHORT, OURS, 0, plan.few), (LONG, OTHER, plan.few, plan.many)):
            values = (rig.tenant_id, _FIRST + first, _FIRST + first + count - 1)
            for statement, more in ((_END_USERS, ()), (_CHATS, (number,)), (_MESSAGES, ()), (_TEXTS, (number, line))):
                await conn.execute(statement, *values, *more)
        await conn.execute("vacuum analyze texts")
    finally:
        await conn.close()


async def _claims(rig: Rig) -> tuple[float, float]:
    """The middle of the seconds that a claim takes from the short queue and from the long one; each is taken back."""
    conn = await asyncpg.connect(rig.dsn)
    took: dict[str, list[float]] = {SHORT: [], LONG: []}
    try:
        for line in (SHORT, LONG) * CLAIMS:
            attempt = conn.transaction()
            await attempt.start()
            carrier_id = await conn.fetchval("select carrier_id from carriers where name = $1", line)
            began = time.perf_counter()
            claimed = await conn.fetch(_CLAIM, rig.tenant_id, carrier_id, GROUP, NODE)
            took[line].append(time.perf_counter() - began)
            if len(claimed) != GROUP:
                raise BenchError(f"a claim gave {len(claimed)} texts, not {GROUP}")
            await attempt.rollback()
    finally:
        await conn.close()
    return statistics.median(took[SHORT]), statistics.median(took[LONG])


async def _sending(rig: Rig, seconds: int) -> int:
    """How many texts arrived in so many seconds of the worker's work."""
    async with aiohttp.ClientSession() as http:
        counts = []
        for pause in (1, seconds):
            await asyncio.sleep(pause)
            async with http.get(f"http://127.0.0.1:{rig.lab_http_port}/stats") as answer:
                counts.append((await answer.json())["texts"])
        arrived: int = counts[1] - counts[0]
        return arrived
