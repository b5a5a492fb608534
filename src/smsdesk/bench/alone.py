"""PostgreSQL alone with the accept statement: the yardstick of what we accept, without HTTP and without us."""

import re
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from smsdesk.bench.pgbench import Script, pgbench
from smsdesk.bench.postgres import Baseline, BaselineResult, run_clients
from smsdesk.store.sends import ACCEPT, IDS_PER_SEND

MESSAGE = "Your order is ready."
FIRST_CONSUMER = 10**11
"""Twelve digits: nobody's number, so that these never meet a consumer of the API's."""
FIRST_ID = 10**10
"""Far beyond the blocks that the API takes from the sequence."""
EACH_CLIENT = 1_000_000
"""Groups that one client may send in one run."""


def arguments(tenant_id: int, outbound_number: str, now: datetime, first: int, n: int) -> tuple[object, ...]:
    """The accept statement's arguments for `n` sends to the consumers from number `first` on."""
    day = timedelta(days=1)
    return (
        tenant_id, now, now + day, now + day, False,
        [FIRST_ID + IDS_PER_SEND * (first + k) for k in range(n)],
        [f"+1{FIRST_CONSUMER + first + k}" for k in range(n)],
        [outbound_number] * n, [MESSAGE] * n, ["gsm7"] * n, [1] * n, None, None, [None] * n, None, None,
        ["hold"] * n, None, False,
    )  # fmt: skip


def script(tenant_id: int, outbound_number: str, now: datetime, group: int) -> str:
    """The same call as a pgbench script; `base` is the first consumer, `i` counts a client's groups."""
    moment, day = f"to_timestamp({now.timestamp():.0f})", "interval '1 day'"

    def each(value: str, kind: str) -> str:
        if group == 1:
            return f"array[{value.replace('k', '0')}]::{kind}[]"
        return f"(select array_agg({value}) from generate_series(0, {group - 1}) k)::{kind}[]"  # noqa: S608 - of constants

    def same(value: str, kind: str) -> str:
        return f"array_fill({value}::{kind}, array[{group}])"

    nothing = ["null::text[]", "null::bigint[]", same("null", "bigint"), "null::text[]", "null::bytea[]"]
    values = [
        str(tenant_id), moment, f"{moment} + {day}", f"{moment} + {day}", "false",
        each(f":id::bigint + {IDS_PER_SEND} * k", "bigint"), each("'+1' || (:n::bigint + k)", "text"),
        same(f"'{outbound_number}'", "text"), same(f"'{MESSAGE}'", "text"), same("'gsm7'", "text"),
        same("1", "smallint"), *nothing, same("'hold'", "text"), "null::timestamptz[]",
        "false",
    ]  # fmt: skip
    return (
        f"\\set n :base + :client_id * {EACH_CLIENT * group} + :i * {group}\n"
        f"\\set id {FIRST_ID} + {IDS_PER_SEND} * (:n - {FIRST_CONSUMER})\n\\set i :i + 1\n"
        + re.sub(r"\$(\d+)", lambda place: values[int(place[1]) - 1], ACCEPT)
        + ";\n"
    )


class Alone:
    """Runs the yardstick for one tenant, each time with consumers that it never had before."""

    def __init__(self, dsn: str, tenant_id: int, outbound_number: str, binary: Path | None) -> None:
        """`binary` is pgbench, None where there is none."""
        self._dsn = dsn
        self._tenant = (tenant_id, outbound_number, datetime.now(UTC))
        self._binary = binary
        self._first = 0
        self.client = "pgbench" if binary else "asyncpg"
        """Whose clients `measure` uses."""

    def choose(self, clients: int, seconds: int) -> None:
        """Tries both kinds of clients, and keeps the quicker."""
        if self._binary is not None:
            quicker = self._by_pgbench(clients, 1, seconds).per_second >= self._by_us(clients, 1, seconds).per_second
            self.client = "pgbench" if quicker else "asyncpg"

    def measure(self, clients: int, group: int, seconds: int) -> BaselineResult:
        """One run with a second of warm-up before it. Raises RuntimeError where the database refuses."""
        return (self._by_pgbench if self.client == "pgbench" else self._by_us)(clients, group, seconds)

    def quiet(self, seconds: int, pause: float) -> BaselineResult:
        """One asyncpg client that pauses so many seconds between two sends: pgbench counts a pause as latency."""
        return self._by_us(1, 1, seconds, pause)

    def _by_pgbench(self, clients: int, group: int, seconds: int) -> BaselineResult:
        assert self._binary is not None
        base = f"base={FIRST_CONSUMER + self._next(clients, group)}"
        text = script(*self._tenant, group)
        return pgbench(Script(self._binary, self._dsn, text, clients, group, seconds, (base, "i=0"), warm_up=1))

    def _by_us(self, clients: int, group: int, seconds: int, pause: float = 0.0) -> BaselineResult:
        call, first = partial(arguments, *self._tenant), self._next(clients, group)
        return run_clients(Baseline(self._dsn, ACCEPT, call, clients, group, seconds, pause=pause, first=first))

    def _next(self, clients: int, group: int) -> int:
        first, self._first = self._first, self._first + clients * group * EACH_CLIENT
        return first
