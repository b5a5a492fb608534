"""Limits at work: one node keeps those of a tenant, and every segment of its lines asks here before it leaves."""

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from smsdesk.carriers.contract import OutboundText
from smsdesk.domain.health import Health
from smsdesk.domain.pace import Pacer
from smsdesk.store import paces
from smsdesk.store.db import Connection, Database
from smsdesk.store.paces import Limits, Passed

AHEAD = 0.1
"""Seconds before a segment may leave at which its text is fetched: what a claim costs, with room to spare."""
YIELD = 5.0
"""Seconds without a line that is up after which a node leaves a tenant's limits to another: one that reconnects is
back sooner."""
LATE = timedelta(seconds=15)
"""How long after its claim a segment may have left and been on its way, and how far the clocks of two nodes may be
apart: whoever takes over counts it so much later."""
PASSED_KEPT = timedelta(days=8)
"""How long it is known what was let go, beyond the longest window: for one that is set tomorrow."""


@dataclass(slots=True)
class _Held:
    """A text that a line has: since when it is claimed, the segments that are kept for it, and those on their way. No
    limit holds for it where there is no pacer."""

    source: str
    carrier: str
    claimed: float
    pacer: Pacer | None = None
    aside: int = 0
    open: int = 0


@dataclass(frozen=True, slots=True)
class Allotment:
    """Segments that numbers may send, kept for them in a pacer."""

    pacer: Pacer
    segments: dict[str, int]


class TenantPace:
    """The limits of one tenant in this process, and whether this node keeps them."""

    def __init__(self) -> None:
        self.known = False
        """Whether it was looked up what limits there are: nothing is sent before."""
        self.limits: Limits | None = None
        """None: the tenant has no limits, and any node may send."""
        self.pacer: Pacer | None = None
        """Set while this node keeps the limits."""
        self.held: dict[tuple[int, int], _Held] = {}
        """The texts that its lines have here, by text and attempt."""
        self.up_at: float | None = None
        """When a line of it was seen up last; at first, when it was looked for."""

    def may_send(self) -> bool:
        """Whether texts of the tenant may be claimed here."""
        return self.known and (self.limits is None or self.pacer is not None)

    def keep(self, pacer: Pacer) -> None:
        """Keeps other limits from now on, also for the texts that were claimed under those of before."""
        self.pacer = pacer
        for one in self.held.values():
            if one.pacer is not None:
                one.pacer = pacer
                pacer.set_aside(one.source, one.carrier, one.aside)
                pacer.take(one.source, one.carrier, one.open)


class LinePace:
    """The limits of one line, as `contract.Pace` promises. Texts that were claimed without a limit pass freely."""

    def __init__(
        self,
        tenant: TenantPace,
        carrier: str,
        clock: Callable[[], float],
        health: Health,
        unbroken: Callable[[float], bool],
    ) -> None:
        """`carrier` is its name; `health` is told whose turn it is; `unbroken` says whether nobody can have taken this
        node for dead since a time of `clock`."""
        self._tenant = tenant
        self._carrier = carrier
        self._clock = clock
        self._health = health
        self._unbroken = unbroken
        self._turns: dict[str, int] = {}
        self._turn = 0

    def may_send(self) -> bool:
        """Whether texts may be claimed for this line here."""
        return self._tenant.may_send()

    @property
    def limited(self) -> bool:
        """Whether the tenant has limits at all."""
        return self._tenant.pacer is not None

    def allot(self, sources: Sequence[tuple[int, str]], room: int, *, by_turn: bool = False) -> Allotment | None:
        """Segments that each number may send now or in a moment, for at most `room` texts; kept for them until
        `claimed`. None where there are none. What several numbers share is shared out evenly among them, the most
        urgent ones first, and of these whose last turn is longest ago; with `by_turn`, that alone decides."""
        pacer, now = self._tenant.pacer, self._clock()
        if pacer is None:
            return None
        segments: dict[str, int] = {}
        waiting = sorted(sources, key=lambda one: (0 if by_turn else one[0], self._turns.get(one[1], 0), one[1]))
        for place, (_, source) in enumerate(waiting):
            free = pacer.coming(source, self._carrier, now, AHEAD)
            free = room if free is None else min(free, room)
            if free > 0:
                segments[source] = max(free // (len(waiting) - place), 1)
                pacer.set_aside(source, self._carrier, segments[source])
                self._turn += 1
                self._turns[source] = self._turn
        return Allotment(pacer, segments) if segments else None

    def claimed(self, allotted: Allotment | None, texts: Sequence[OutboundText], began: float) -> None:
        """The texts of a claim that began then: what was allotted for it and they do not need is given back."""
        pacer = None
        if allotted is not None:
            pacer = self._tenant.pacer or allotted.pacer
            for source, segments in allotted.segments.items():
                allotted.pacer.set_aside(source, self._carrier, -segments)
        for text in texts:
            held = self._tenant.held[_key(text)] = _Held(text.source, self._carrier, began, pacer)
            if pacer is not None:
                held.aside = len(text.segments.parts)
                pacer.set_aside(text.source, self._carrier, held.aside)

    def wait(self, sources: Sequence[tuple[int, str]]) -> float | None:
        """Seconds until one of these numbers may have a text fetched; None where no limit is in the way."""
        pacer, now = self._tenant.pacer, self._clock()
        if pacer is None or not sources:
            return None
        # No wait at all: what is free is kept for texts that other lines have.
        return max(min(pacer.wait(source, self._carrier, 1, now) for _, source in sources) - AHEAD / 2, AHEAD / 2)

    def take(self, text: OutboundText, segments: int) -> float:
        """As the contract says."""
        held = self._tenant.held.get(_key(text))
        if held is None:
            return 0.0
        if not self._unbroken(held.claimed):
            return math.inf
        if held.pacer is None:
            return 0.0
        wait = held.pacer.wait(held.source, self._carrier, segments, self._clock())
        if wait:
            return wait
        used = min(segments, held.aside)
        held.pacer.set_aside(held.source, self._carrier, -used)
        held.pacer.take(held.source, self._carrier, segments)
        held.aside -= used
        held.open += segments
        self._health.passed(_key(text), self._clock())
        return 0.0

    def answered(self, text: OutboundText, segments: int) -> None:
        """As the contract says."""
        held = self._tenant.held.get(_key(text))
        if held is None or held.pacer is None or not held.open:
            return
        segments = min(segments, held.open)
        held.open -= segments
        held.pacer.answered(held.source, self._carrier, segments, self._clock())
        if held.aside and not held.open:
            self._health.waits(_key(text))

    def ended(self, key: tuple[int, int]) -> None:
        """The text has its outcome: what was kept for it and never left is free again."""
        held = self._tenant.held.pop(key, None)
        if held is None or held.pacer is None:
            return
        held.pacer.set_aside(held.source, self._carrier, -held.aside)
        if held.open:
            held.pacer.answered(held.source, self._carrier, held.open, self._clock())


def _key(text: OutboundText) -> tuple[int, int]:
    return text.text_id, text.attempt


class Paces:
    """The limits of all tenants in this process."""

    def __init__(self, db: Database, clock: Callable[[], datetime], monotonic: Callable[[], float]) -> None:
        self._db = db
        self._clock = clock
        self._monotonic = monotonic
        self._tenants: dict[int, TenantPace] = {}

    def of(self, tenant_id: int) -> TenantPace:
        """The limits of a tenant, as they are and as they will be."""
        return self._tenants.setdefault(tenant_id, TenantPace())

    async def refresh(self, node_id: int, up: Collection[int]) -> list[int]:
        """Takes over what was set up since the last look, and the limits that nobody keeps any more: gives the tenants
        whose texts may be sent here from now on. `up` are the tenants with a line that is up here."""
        now = self._monotonic()
        for tenant_id, tenant in self._tenants.items():
            if tenant.up_at is None or tenant_id in up:
                tenant.up_at = now
        async with self._db.connection() as conn:
            found = await paces.find_limits(conn)
            before = {tenant_id for tenant_id, tenant in self._tenants.items() if tenant.may_send()}
            for tenant_id, tenant in self._tenants.items():
                if tenant_id not in found:
                    tenant.limits = tenant.pacer = None
            for tenant_id, limits in found.items():
                await self._keep(conn, tenant_id, limits, node_id)
            for tenant in self._tenants.values():
                tenant.known = True
        return [
            tenant_id for tenant_id, tenant in self._tenants.items() if tenant.may_send() and tenant_id not in before
        ]

    async def _keep(self, conn: Connection, tenant_id: int, limits: Limits, node_id: int) -> None:
        tenant = self.of(tenant_id)
        if tenant.limits != limits:
            # Nothing is claimed before the new count knows what was let go under the old one.
            tenant.pacer, tenant.limits = None, limits
        if not await self._may_keep(conn, tenant_id, tenant, node_id):
            tenant.pacer = None
        elif tenant.pacer is None:
            pacer = Pacer(limits.limits, limits.senders)
            since = self._clock() - timedelta(seconds=pacer.longest) - LATE
            self._count(pacer, await paces.find_passed(conn, tenant_id, since))
            tenant.keep(pacer)

    async def _may_keep(self, conn: Connection, tenant_id: int, tenant: TenantPace, node_id: int) -> bool:
        """Whether this node keeps the limits. One without a line to send over leaves them to the others."""
        now = self._monotonic()
        if now - (now if tenant.up_at is None else tenant.up_at) < YIELD:
            return await paces.take(conn, tenant_id, node_id, self._clock())
        if tenant.pacer is not None and not tenant.held:
            return not await paces.leave_to_others(conn, tenant_id, node_id, self._clock())
        return tenant.pacer is not None

    async def forget(self) -> None:
        """Drops the record of what no window reaches back to."""
        async with self._db.connection() as conn:
            await paces.forget_passed(conn, self._clock() - PASSED_KEPT)

    async def leave(self, node_id: int) -> None:
        """Lets another node keep the limits, after the last line of this one has closed."""
        async with self._db.connection() as conn:
            await paces.give_back(conn, node_id)

    def _count(self, pacer: Pacer, passed: Sequence[Passed]) -> None:
        """What was let go in a minute counts as let go a while after its end, or now: later than it was, never
        earlier."""
        now, moment = self._clock(), self._monotonic()
        for one in passed:
            ago = max((now - one.minute - timedelta(minutes=1) - LATE).total_seconds(), 0.0)
            pacer.count(one.source, one.carrier, one.segments, moment - ago)
