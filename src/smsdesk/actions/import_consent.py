"""A file of opt-outs is taken in, or a carrier's own list is compared with ours."""

from collections.abc import Sequence
from dataclasses import dataclass

from smsdesk.domain.consent import Scope
from smsdesk.domain.consent_list import BadLine, in_chunks, read_lines, read_numbers
from smsdesk.steps.begin import Begin
from smsdesk.steps.consent import Said, revoke
from smsdesk.steps.work import Work
from smsdesk.store import consent, texts

CHUNK = 999
"""Lines for each statement: each takes an id, and ids come by the thousand."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file."""

    read: int
    """Lines that could be taken in."""
    new: int
    """Numbers of them that were not opted out so before."""
    bad: tuple[BadLine, ...]
    """Where there are some and they are not left out, nothing was taken in."""


async def import_consent(
    begin: Begin, tenant_id: int, text: str, name: str, regions: frozenset[str], *, skip_bad: bool = False
) -> Imported:
    """Takes in a CSV file, all of it in one transaction, or nothing where a line is bad and `skip_bad` is not set. Each
    line comes into the history with the file's name. Then what is queued to the new numbers ends."""
    async with begin(tenant_id) as work:
        lines, bad = read_lines(text, work.now, regions)
        if bad and not skip_bad:
            return Imported(len(lines), 0, tuple(bad))
        lines.sort(key=lambda line: (line.number, line.scope, line.scope_of))
        new: list[str] = []
        for chunk in in_chunks(lines, CHUNK):
            first_id = await work.ids.take(work.conn, len(chunk) + 1)
            new += await consent.add_opt_outs(work.conn, tenant_id, chunk, first_id, name)
    await _end_queued(begin, tenant_id, new)
    return Imported(len(lines), len(set(new)), tuple(bad))


async def _end_queued(begin: Begin, tenant_id: int, numbers: Sequence[str]) -> None:
    """Number by number, so that no two who lock texts wait for each other. From the commit of the file on none of them
    leaves anyway."""
    async with begin(tenant_id) as work:
        queued = await consent.set_quiet_where_nothing_waits(work.conn, tenant_id, numbers, work.now)
    for number in queued:
        async with begin(tenant_id) as work:
            if not await texts.end_opted_out(work.conn, tenant_id, number, work.now):
                await consent.set_quiet(work.conn, tenant_id, number, work.now)


async def _all_numbers(work: Work) -> set[str]:
    found: set[str] = set()
    last = None
    while page := await consent.next_opt_outs(work.conn, work.tenant_id, last, CHUNK):
        found.update(line.number for line in page)
        last = page[-1]
    return found


@dataclass(frozen=True, slots=True)
class Drift:
    """Where a carrier's list and ours differ: phones, each with the number of ours, empty where all are meant."""

    at_carrier_only: tuple[tuple[str, str], ...]
    """The carrier does not text them, and we would: each such text is refused and perhaps paid for."""
    here_only: tuple[str, ...]
    """We do not text them, and the carrier would: another system that uses the account may."""
    bad: tuple[BadLine, ...]
    repaired: int = 0


async def compare_consent(
    begin: Begin, tenant_id: int, text: str, name: str, regions: frozenset[str], *, repair: bool = False
) -> Drift:
    """Compares a carrier's list (CSV: `number`, and `outbound_number` where it blocks by number) with ours. With
    `repair` those that only the carrier has are opted out here too, with the source `carrier`."""
    listed, bad = read_numbers(text, regions)
    async with begin(tenant_id) as work:
        ours = await _all_numbers(work)
        missing = [
            (number, our_number)
            for number, our_number in listed
            if number not in ours
            or (our_number and not await consent.is_opted_out(work.conn, tenant_id, number, our_number))
        ]
    known = {number for number, _ in listed}
    for number, our_number in missing if repair else ():
        async with begin(tenant_id) as work:
            scope = Scope("number", our_number) if our_number else Scope()
            await revoke(work, Said(number, "", "carrier", name, "on the carrier's list"), scope)
    return Drift(tuple(missing), tuple(sorted(ours - known)), tuple(bad), len(missing) if repair else 0)
