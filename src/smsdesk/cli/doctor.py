"""`smsdesk doctor`: what is in order, what is not, and what to do about it."""

import os
from datetime import UTC, datetime
from pathlib import Path

import typer

from smsdesk.carriers.registry import CARRIERS
from smsdesk.cli.checks import Finding, check_carriers, check_machine, check_server, check_tenants
from smsdesk.cli.crm_checks import check_crms
from smsdesk.cli.options import DEFAULT_DATA, CommandError, Data, Json, connect, print_json, run
from smsdesk.postgres import PostgresError

_MARKS = {
    "ok": ("ok     ", typer.colors.GREEN),
    "info": ("info   ", typer.colors.BLUE),
    "warning": ("warning", typer.colors.YELLOW),
}
_BROKEN = ("BROKEN ", typer.colors.RED)


def doctor(data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """Check this machine, the database and every tenant. Exit code 1 if something is broken."""

    async def work() -> list[Finding]:
        return [*check_machine(data), *await _database(data)]

    findings = run(work)
    broken = any(finding.grade == "broken" for finding in findings)
    if json:
        print_json({"healthy": not broken, "findings": findings})
    else:
        _show(findings)
    if broken:
        raise typer.Exit(1)


async def _database(data: Path) -> list[Finding]:
    try:
        async with connect(data) as database, database.connection() as conn:
            found = await check_server(conn, datetime.now(UTC))
            if found[-1].grade == "ok":
                found += await check_tenants(conn)
                found += await check_carriers(conn, {name: each.Config for name, each in CARRIERS.items()})
                found += await check_crms(conn, os.environ, datetime.now(UTC))
    except (CommandError, PostgresError) as error:
        return [Finding("database", "broken", "cannot be used", str(error))]
    return found


def _show(findings: list[Finding]) -> None:
    width = max(len(finding.check) for finding in findings)
    for finding in findings:
        mark, colour = _MARKS.get(finding.grade, _BROKEN)
        typer.echo(f"{typer.style(mark, fg=colour)}  {finding.check:<{width}}  {finding.says}")
        if finding.remedy:
            typer.echo(f"{'':<{width + 11}}-> {finding.remedy}")
