"""Limits at work: one node keeps those of a tenant, and every segment of its lines asks here before it leaves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from smsdesk.carriers.contract import OutboundText
from smsdesk.domain.pace import Pacer
from smsdesk.store import paces
from smsdesk.store.db import Connection, Database
from smsdesk.store.paces import Limits, Passed

AHEAD = 0.1
"""Seconds before a segment may leave at which its text is fetched: what a claim costs, with room to spare."""
PASSED_KEPT = timedelta(days=8)
"""How long it is known what was let go: longer than any window that a person sets."""


class TenantPace:
    """The limits of one tenant in this process, and whether this node keeps them."""

    def __init__(self) -> None:
        self.known = False
        """Whether it was looked up what limits there are: nothing is sent before."""
        self.limits: Limits | None = None
        """None: the tenant has no limits, and any node may send."""
        self.pacer: Pacer | None = None
        """Set while this node keeps the limits."""

    def may_send(self) -> bool:
        """Whether texts of the tenant may be claimed here."""
        return self.known and (self.limits is None or self.pacer is not None)


@dataclass(slots=True)
class _Held:
    """A text that the line has: segments that are kept for it, and those on their way."""

    pacer: Pacer
    source: str
    aside: int
    open: int = 0


class LinePace:
    """The limits of one line, as `contract.Pace` promises. Texts that were claimed without a limit pass freely."""

    def __init__(
        self, tenant: TenantPace, carrier: str, clock: Callable[[], float], passed: Callable[[tuple[int, int]], None]
    ) -> None:
        """`carrier` is its name; `passed` is told of each text of which a segment leaves."""
        self._tenant = tenant
        self._carrier = carrier
        self._clock = clock
        self._passed = passed
        self._held: dict[tuple[int, int], _Held] = {}

    def may_send(self) -> bool:
        """Whether texts may be claimed for this line here."""
        return self._tenant.may_send()

    @property
    def limited(self) -> bool:
        """Whether the tenant has limits at all."""
        return self._tenant.pacer is not None

    def allot(self, sources: Sequence[str], room: int) -> dict[str, int]:
        """Segments that each number may send now or in a moment, for at most `room` texts; kept for them until
        `claimed`. What several numbers share is shared out evenly: who needs less leaves it for the next claim."""
        pacer, now, allotted = self._tenant.pacer, self._clock(), dict[str, int]()
        if pacer is None:
            return allotted
        for place, source in enumerate(sources):
            free = pacer.coming(source, self._carrier, now, AHEAD)
            segments = room if free is None else min(free, room)
            if segments > 0:
                allotted[source] = max(segments // (len(sources) - place), 1)
                pacer.set_aside(source, self._carrier, allotted[source])
        return allotted

    def claimed(self, allotted: dict[str, int], texts: Sequence[OutboundText]) -> None:
        """The texts that were claimed of what was allotted: what they do not need is given back."""
        pacer = self._tenant.pacer
        if pacer is None:
            return
        for source, segments in allotted.items():
            pacer.set_aside(source, self._carrier, -segments)
        for text in texts:
            parts = len(text.segments.parts)
            pacer.set_aside(text.source, self._carrier, parts)
            self._held[text.text_id, text.attempt] = _Held(pacer, text.source, parts)

    def wait(self, sources: Sequence[str]) -> float | None:
        """Seconds until one of these numbers may have a text fetched; None where no limit is in the way."""
        pacer, now = self._tenant.pacer, self._clock()
        if pacer is None or not sources:
            return None
        return max(min(pacer.wait(source, self._carrier, 1, now) for source in sources) - AHEAD / 2, 0.001)

    def take(self, text: OutboundText, segments: int) -> float:
        """As the contract says."""
        held = self._held.get((text.text_id, text.attempt))
        if held is None:
            return 0.0
        wait = held.pacer.wait(held.source, self._carrier, segments, self._clock())
        if wait:
            return wait
        used = min(segments, held.aside)
        held.pacer.set_aside(held.source, self._carrier, -used)
        held.pacer.take(held.source, self._carrier, segments)
        held.aside -= used
        held.open += segments
        self._passed((text.text_id, text.attempt))
        return 0.0

    def answered(self, text: OutboundText, segments: int) -> None:
        """As the contract says."""
        held = self._held.get((text.text_id, text.attempt))
        if held is not None and held.open:
            segments = min(segments, held.open)
            held.open -= segments
            held.pacer.answered(held.source, self._carrier, segments, self._clock())

    def ended(self, key: tuple[int, int]) -> None:
        """The text has its outcome: what was kept for it and never left is free again."""
        held = self._held.pop(key, None)
        if held is None:
            return
        held.pacer.set_aside(held.source, self._carrier, -held.aside)
        if held.open:
            held.pacer.answered(held.source, self._carrier, held.open, self._clock())


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

    async def refresh(self, node_id: int) -> list[int]:
        """Takes over what was set up since the last look, and the limits that nobody keeps any more: gives the tenants
        whose texts may be sent here from now on."""
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
        if not await paces.take(conn, tenant_id, node_id, self._clock()):
            tenant.pacer = None
        elif tenant.pacer is None:
            pacer = Pacer(limits.limits, limits.senders)
            since = self._clock() - timedelta(seconds=pacer.longest)
            self._count(pacer, await paces.find_passed(conn, tenant_id, since))
            tenant.pacer = pacer

    async def forget(self) -> None:
        """Drops the record of what no window reaches back to."""
        async with self._db.connection() as conn:
            await paces.forget_passed(conn, self._clock() - PASSED_KEPT)

    async def leave(self, node_id: int) -> None:
        """Lets another node keep the limits, after the last line of this one has closed."""
        async with self._db.connection() as conn:
            await paces.give_back(conn, node_id)

    def _count(self, pacer: Pacer, passed: Sequence[Passed]) -> None:
        """What was let go in a minute counts as let go at its end, or now: later than it was, never earlier."""
        now, moment = self._clock(), self._monotonic()
        for one in passed:
            ago = max((now - one.minute - timedelta(minutes=1)).total_seconds(), 0.0)
            pacer.count(one.source, one.carrier, one.segments, moment - ago)
