"""`smsdesk plan` and `smsdesk apply`: a tenant's set-up from a file."""

import os
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from smsdesk.actions.apply_setup import apply_setup
from smsdesk.actions.plan_setup import SetupFile, plan_setup
from smsdesk.carriers.registry import CARRIERS
from smsdesk.cli.options import DEFAULT_DATA, CommandError, Data, Json, open_database, print_json, run, telling
from smsdesk.crm.registry import CRMS
from smsdesk.setup.plan import SetupMoved, TenantPlan, as_json, render
from smsdesk.store.db import Database

NOTHING, CHANGES = 0, 2
"""Exit codes of `smsdesk plan`; 1 is an error."""
ATTEMPTS = 20
"""How often a plan is made again because somebody else was first."""

_COLOURS = {"+": typer.colors.GREEN, "~": typer.colors.YELLOW, "-": typer.colors.RED}
_File = Annotated[str, typer.Argument(metavar="FILE", help="A set-up file (YAML), or - for standard input.")]


def plan(file: _File, data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """Show what `smsdesk apply FILE` would change, and change nothing.

    Exit code 0: nothing to do. 2: there are changes. 1: an error.
    """

    async def work() -> list[TenantPlan]:
        async with open_database(data) as database:
            return await plan_setup(database, setup, secrets.token_bytes)

    with telling():
        setup = read_file(file)
    plans = run(work)
    if json:
        print_json({"tenants": [as_json(planned) for planned in plans]})
    else:
        _show(plans)
    raise typer.Exit(NOTHING if all(planned.is_empty for planned in plans) else CHANGES)


def apply(
    file: _File,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Apply without asking.")] = False,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Make the changes of a set-up file, after showing them. Applying a file twice changes nothing."""

    async def work() -> None:
        async with open_database(data) as database:
            await apply_file(database, setup, yes=yes, json=json)

    with telling():
        setup = read_file(file)
        if not yes and (json or not sys.stdin.isatty()):
            raise CommandError("nobody is there to ask: add --yes, after a look at `smsdesk plan`")
    run(work)


def read_file(file: str) -> SetupFile:
    """The bytes of a set-up file and what its meaning depends on. Raises CommandError where it cannot be read."""
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from None
    configs = {name: carrier.Config for name, carrier in CARRIERS.items()}
    crms = {name: crm.Config for name, crm in CRMS.items()}
    folder = Path.cwd() if file == "-" else Path(file).absolute().parent
    return SetupFile("standard input" if file == "-" else file, data, folder, configs, os.environ, crms)


async def apply_file(database: Database, setup: SetupFile, *, yes: bool, json: bool) -> None:
    """Shows the plan, asks unless `yes`, and applies it; plans again, and says so, where somebody else was first."""
    for _ in range(ATTEMPTS):
        plans = await plan_setup(database, setup, secrets.token_bytes)
        if not json:
            _show(plans)
        todo = [planned for planned in plans if not planned.is_empty]
        if todo and not yes and not typer.confirm("Apply these changes?"):
            raise CommandError("nothing was changed")
        try:
            for planned in todo:
                await apply_setup(database, planned, datetime.now(UTC))
        except SetupMoved as moved:
            typer.echo(f"{moved}; planning again", err=True)
            continue
        if json:
            print_json({"applied": bool(todo), "tenants": [as_json(planned) for planned in plans]})
        elif todo:
            typer.echo("applied")
        return
    raise CommandError("others change this set-up all the time: try again when they have finished")


def _show(plans: list[TenantPlan]) -> None:
    for planned in plans:
        for line in render(planned):
            typer.secho(line, fg=_COLOURS.get(line.strip()[:1]) if line.startswith("  ") else None)
        for warning in planned.warnings:
            typer.echo(f"warning: {warning}", err=True)
        for obstacle in planned.obstacles:
            typer.echo(f"warning: {obstacle}", err=True)
