"""Failed tries are counted before it is known that they failed: many at one moment are as many as one after another."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from smsdesk.domain.audit import Author, Deed
from smsdesk.domain.sign_in import Failures, Limit, TooManyTries, one_more
from smsdesk.steps.audit import record
from smsdesk.steps.begin import Begin
from smsdesk.steps.work import Work
from smsdesk.store.sign_in import clear_failures, lock_failures, write_failures


@dataclass(frozen=True, slots=True)
class Try:
    """A try that is counted, and what stood there before it."""

    limits: Sequence[Limit]
    before: Sequence[Failures]

    @property
    def begins_a_wait(self) -> bool:
        """Whether the next one has to wait because of this one, and did not because of those before."""
        most = {each.tried: each.most for each in self.limits}
        return any(row.failures + 1 == most[row.tried] for row in self.before)


async def count_try(begin: Begin, tenant_id: int, limits: Sequence[Limit]) -> Try:
    """Counts a try. Raises TooManyTries, and counts nothing, where one of the limits has to be waited for."""
    most = {each.tried: each.most for each in limits}
    async with begin(tenant_id) as work:
        rows = await lock_failures(work.conn, tenant_id, list(most), work.now)
        until = max((row.blocked_until for row in rows if row.blocked_until), default=work.now)
        if until > work.now:
            raise TooManyTries(until - work.now)
        await write_failures(work.conn, tenant_id, [one_more(row, most[row.tried], work.now) for row in rows])
    return Try(limits, rows)


async def forgive(work: Work, tried: Try) -> None:
    """The try was good. The first of its limits begins anew; on the others it alone counts no more: who has a password
    of his own does not wash away what he guesses at others'."""
    first, *others = [each.tried for each in tried.limits]
    await clear_failures(work.conn, work.tenant_id, [first])
    before = {row.tried: row for row in tried.before}
    rows = await lock_failures(work.conn, work.tenant_id, others, work.now) if others else []
    mended = [
        replace(
            row,
            failures=max(0, row.failures - 1),
            blocked_until=before[row.tried].blocked_until
            if row.failures - 1 <= before[row.tried].failures
            else row.blocked_until,
        )
        for row in rows
    ]
    await write_failures(work.conn, work.tenant_id, mended)


async def tell_failure(begin: Begin, tenant_id: int, tried: Try, deed: Deed) -> None:
    """Writes into the audit that somebody guesses, once he has to wait: not each slip of the finger."""
    if tried.begins_a_wait:
        async with begin(tenant_id) as work:
            await record(work, deed)


def failed(subject: str, address: str, what: str, agent_id: int | None = None) -> Deed:
    """Somebody failed too often; the subject is an address that we know, since a typed one may be a password."""
    return Deed(Author("desk", agent_id), "fail sign-in", subject, {"address": address, "with": what})
