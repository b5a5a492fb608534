"""A steady load for many minutes on a full database: whether the last one is as the first was."""

from collections.abc import Callable
from dataclasses import dataclass

from smsdesk.bench.history.side import CONNECTIONS, Side
from smsdesk.bench.report import Headline, Row, headline
from smsdesk.bench.rig import BenchError, run

MINUTE = 60
LEAST = 0.9


@dataclass(frozen=True, slots=True)
class Steady:
    """What came of it, minute by minute."""

    headlines: tuple[Headline, ...]
    rows: tuple[Row, ...]


def steady(side: Side, minutes: int, rate: float, step: Callable[[str], None]) -> Steady:
    """So many sends a second, at most, accepted and delivered for so many minutes, autovacuum at work as always."""
    side.work()
    rows: list[Row] = []
    before = run(_stand(side))
    for minute in range(1, minutes + 1):
        step(f"minute {minute} of {minutes}: {rate:,.0f} sends a second")
        result, _ = side.accept(MINUTE - 1, pause=CONNECTIONS / rate)
        now = run(_stand(side))
        note = (
            f"delivered {(now['delivered'] - before['delivered']) / MINUTE:,.0f} a second,"
            f" {now['waiting']:,} on their way, {now['octets'] / 1e9:.2f} GB, {now['dead']:,} dead rows"
        )
        rows.append(Row(f"minute {minute}, accepted while delivering", result.per_second, result.latency, note=note))
        before = now
    side.rest()
    if not rows:
        raise BenchError("a steady load takes a minute at least")
    first, last = rows[0], rows[-1]
    return Steady(
        (
            headline(f"minute {minutes} / minute 1, accepted", last.per_second / first.per_second, least=LEAST),
            headline("p99 in the first minute", first.latency.p99_ms, "ms"),
            headline(f"p99 in minute {minutes}", last.latency.p99_ms, "ms"),
        ),
        tuple(rows),
    )


async def _stand(side: Side) -> dict[str, int]:
    names = ("delivered", "waiting", "octets", "dead")
    return dict(zip(names, (await side.rig.rows(_STAND))[0], strict=True))


_STAND = """
select (select sum(texts)::bigint from usage), (select count(*) from texts),
       (select sum(pg_total_relation_size(relid))::bigint from pg_stat_user_tables),
       (select sum(n_dead_tup)::bigint from pg_stat_user_tables)
"""
