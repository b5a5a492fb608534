"""`smsdesk consent`: who must not be texted, how that came, and lists of it going in and out."""

import getpass
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from smsdesk.actions.import_consent import compare_consent, import_consent
from smsdesk.actions.restore_consent import restore_consent
from smsdesk.actions.revoke_consent import revoke_consent
from smsdesk.actions.take_over_opt_outs import release_opt_outs
from smsdesk.cli.consent_tables import show_drift, show_events, show_holds, show_opt_outs, show_waiting
from smsdesk.cli.consent_words import words
from smsdesk.cli.options import DEFAULT_DATA, CommandError, Data, Json, open_database, print_json, run
from smsdesk.domain.consent import Scope
from smsdesk.domain.consent_list import SCOPES, BadLine, ConsentLine, write_lines
from smsdesk.domain.phone import Number, NumberProblem, read_number
from smsdesk.domain.tenant import Tenant
from smsdesk.steps.begin import Begin
from smsdesk.steps.consent import Said
from smsdesk.store import carrier_opt_outs, consent, consent_holds
from smsdesk.store.consent import OptOutFilter
from smsdesk.store.db import Database, Ids
from smsdesk.store.tenants import read_tenant, require_tenant_id

app = typer.Typer(no_args_is_help=True, help="Who must not be texted, and how that came.")
app.command()(words)

MOST = 1000
"""Rows that are listed at once; `export` writes all of them."""
T = TypeVar("T")

_Subdomain = Annotated[str, typer.Argument(help="The tenant.")]
_Phone = Annotated[str, typer.Argument(help="A phone number, such as +14155550100.")]
_File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A CSV file.")]
_Scope = Annotated[str | None, typer.Option("--scope", help="`number`, `brand` or `all`; all where missing.")]
_Of = Annotated[str, typer.Option("--of", help="The number of ours, or the brand.")]


class Decision(StrEnum):
    """What becomes of what waits of a carrier's."""

    TAKEN = "taken"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class _Desk:
    db: Database
    tenant: Tenant
    begin: Begin

    def phone(self, raw: str) -> Number:
        number = read_number(raw, frozenset(self.tenant.settings.allowed_regions))
        if isinstance(number, NumberProblem):
            raise CommandError(f'"{raw[:40]}" is no phone number that this tenant may text')
        return number

    @property
    def regions(self) -> frozenset[str]:
        return frozenset(self.tenant.settings.allowed_regions)


@asynccontextmanager
async def _desk(data: Path, subdomain: str) -> AsyncIterator[_Desk]:
    async with open_database(data) as db:
        async with db.connection() as conn:
            tenant = await read_tenant(conn, await require_tenant_id(conn, subdomain))
        yield _Desk(db, tenant, Begin(db, Ids(), lambda: datetime.now(UTC), random.random))


def _at(subdomain: str, data: Path, work: Callable[[_Desk], Awaitable[T]]) -> T:
    async def whole() -> T:
        async with _desk(data, subdomain) as desk:
            return await work(desk)

    return run(whole)


def _scope(kind: str | None, of: str) -> Scope | None:
    if kind is None and not of:
        return None
    if kind not in SCOPES or (kind == "all") != (not of):
        raise CommandError("--scope is number, brand or all, and --of names the number or the brand")
    return Scope(kind, of)


@app.command("list")
def list_(subdomain: _Subdomain, data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """List the opt-outs that stand, the replies that wait for a person, and what carriers say that is not believed."""

    async def work(
        desk: _Desk,
    ) -> tuple[list[ConsentLine], list[consent_holds.Hold], list[carrier_opt_outs.CarrierOptOut]]:
        tenant_id = desk.tenant.tenant_id
        async with desk.db.connection() as conn:
            lines = await consent.list_opt_outs(conn, tenant_id, OptOutFilter(), MOST)
            holds = await consent_holds.list_holds(conn, tenant_id, is_open=True, limit=MOST)
            return lines, holds, await carrier_opt_outs.list_waiting(conn, tenant_id, MOST)

    lines, holds, waiting = _at(subdomain, data, work)
    if json:
        print_json({"opt_outs": lines, "holds": holds, "waiting": waiting})
        return
    show_opt_outs(lines)
    show_holds(holds)
    show_waiting(waiting)


@app.command()
def show(subdomain: _Subdomain, number: _Phone, data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """Show how it stands with a number, and all that is known of how that came."""

    async def work(desk: _Desk) -> tuple[list[ConsentLine], list[consent.ConsentEvent]]:
        phone = desk.phone(number)
        async with desk.db.connection() as conn:
            lines = await consent.list_opt_outs(conn, desk.tenant.tenant_id, OptOutFilter(phone), MOST)
            return lines, await consent.read_history(conn, desk.tenant.tenant_id, phone)

    lines, history = _at(subdomain, data, work)
    if json:
        print_json({"opt_outs": lines, "history": history})
        return
    show_opt_outs(lines, "may be texted")
    show_events(history)


@app.command()
def stop(
    subdomain: _Subdomain,
    number: _Phone,
    says: Annotated[str, typer.Option("--words", help="What was said, and how.")] = "",
    scope: _Scope = None,
    of: _Of = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """Note that a number must not be texted any more: its owner called, wrote, or told somebody."""

    async def work(desk: _Desk) -> bool:
        said = Said(desk.phone(number), says, "api", getpass.getuser())
        return await revoke_consent(desk.begin, desk.tenant.tenant_id, said, _scope(scope, of) or Scope())

    typer.echo("opted out" if _at(subdomain, data, work) else "was opted out already; noted")


@app.command()
def start(
    subdomain: _Subdomain,
    number: _Phone,
    says: Annotated[str, typer.Option("--words", help="How consent was given, for whoever has to prove it.")],
    scope: _Scope = None,
    of: _Of = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """Note that a number may be texted again. It takes more than a wish: say how its owner gave his consent."""

    async def work(desk: _Desk) -> int:
        if not says.strip():
            raise CommandError("--words: say how consent was given")
        said = Said(desk.phone(number), says, "api", getpass.getuser())
        return len(await restore_consent(desk.begin, desk.tenant.tenant_id, said, _scope(scope, of)))

    ended = _at(subdomain, data, work)
    typer.echo(f"opt-outs that ended: {ended}" if ended else "nothing of this kind stood against it")


@app.command("import")
def import_(
    subdomain: _Subdomain,
    file: _File,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Take in the good lines although others are bad.")
    ] = False,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Take in opt-outs: columns number, scope, scope_of, at, source, words, of which only number must be there."""
    text = _text(file)
    done = _at(
        subdomain, data,
        lambda desk: import_consent(
            desk.begin, desk.tenant.tenant_id, text, file.name, desk.regions, skip_bad=skip_bad
        ),
    )  # fmt: skip
    if json:
        print_json(done)
    _tell_bad(done.bad)
    if done.bad and not skip_bad:
        typer.echo("error: nothing was taken in; --skip-bad leaves the bad lines out", err=True)
        raise typer.Exit(1)
    if not json:
        typer.echo(f"lines: {done.read}, new: {done.new}")


@app.command()
def export(subdomain: _Subdomain, data: Data = DEFAULT_DATA) -> None:
    """Write all opt-outs that stand as a CSV file to the output; `import` takes it."""

    async def work(desk: _Desk) -> None:
        typer.echo(write_lines([]), nl=False)
        last: ConsentLine | None = None
        while True:
            async with desk.db.connection() as conn:
                lines = await consent.next_opt_outs(conn, desk.tenant.tenant_id, last, MOST)
            if not lines:
                return
            typer.echo(write_lines(lines, head=False), nl=False)
            last = lines[-1]

    _at(subdomain, data, work)


@app.command()
def compare(
    subdomain: _Subdomain,
    file: _File,
    repair: Annotated[bool, typer.Option("--repair", help="Opt out here those that only the carrier has.")] = False,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Compare a carrier's own list (CSV: number, and outbound_number where it blocks by number) with ours."""
    text = _text(file)
    drift = _at(
        subdomain, data,
        lambda desk: compare_consent(
            desk.begin, desk.tenant.tenant_id, text, file.name, desk.regions, repair=repair
        ),
    )  # fmt: skip
    if json:
        print_json(drift)
    else:
        show_drift(drift)
    _tell_bad(drift.bad)
    if drift.bad or drift.here_only or len(drift.at_carrier_only) > drift.repaired:
        raise typer.Exit(1)


@app.command()
def release(
    subdomain: _Subdomain,
    carrier: Annotated[str, typer.Argument(help="The carrier, by its name in the set-up file.")],
    decision: Annotated[Decision, typer.Argument(help="Opt them out here too, or not.")],
    data: Data = DEFAULT_DATA,
) -> None:
    """Decide about what a carrier refused as opted out and was too much to be taken over unseen."""
    count = _at(
        subdomain, data,
        lambda desk: release_opt_outs(
            desk.begin, desk.tenant.tenant_id, carrier, decision.value, getpass.getuser()
        ),
    )  # fmt: skip
    typer.echo(f"{decision.value}: {count}")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        typer.echo(f"error: {file} is not in UTF-8", err=True)
        raise typer.Exit(1) from None


def _tell_bad(bad: Sequence[BadLine]) -> None:
    for one in bad:
        typer.echo(f"line {one.line}: {one.says}", err=True)
