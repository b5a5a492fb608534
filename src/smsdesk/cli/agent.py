"""`smsdesk agent`: what an administrator does for an agent who cannot sign in, from the machine itself."""

import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from random import random
from typing import Annotated

import typer

from smsdesk.actions.change_second_factor import reset_second_factor
from smsdesk.actions.invite_agent import invite_by_command
from smsdesk.actions.set_password import set_by_command
from smsdesk.cli.options import DEFAULT_DATA, CommandError, Data, Json, open_database, print_json, run
from smsdesk.domain.audit import COMMAND
from smsdesk.domain.tenant import Tenant
from smsdesk.steps.begin import Begin
from smsdesk.store.db import Ids
from smsdesk.store.tenants import read_tenant, require_tenant_id

app = typer.Typer(no_args_is_help=True, help="Let an agent in who cannot sign in at the desk.")

_Subdomain = Annotated[str, typer.Argument(help="The tenant.")]
_Email = Annotated[str, typer.Argument(help="The agent's e-mail address.")]
_Stdin = Annotated[bool, typer.Option("--stdin", help="Read the password from standard input, and set it.")]


@dataclass(frozen=True, slots=True)
class _Place:
    begin: Begin
    tenant: Tenant


@app.command()
def password(
    subdomain: _Subdomain, email: _Email, stdin: _Stdin = False, data: Data = DEFAULT_DATA, json: Json = False
) -> None:
    """Print a link, good once and for a day, by which the agent gives himself a password."""
    typed = sys.stdin.readline().rstrip("\r\n") if stdin else ""

    async def work() -> str:
        async with _tenant(data, subdomain) as place:
            tenant = place.tenant
            if stdin:
                await set_by_command(place.begin, tenant.tenant_id, email, typed, secrets.token_bytes)
                return ""
            path = await invite_by_command(place.begin, tenant.tenant_id, subdomain, email, secrets.token_bytes)
            return tenant.settings.public_url + path

    link = run(work)
    if json:
        print_json({"subdomain": subdomain, "email": email, **({"link": link} if link else {})})
    elif link:
        typer.echo(link)
        typer.echo("Give it to the agent: it is shown this once, and good for a day.", err=True)
    else:
        typer.echo(f"the password of {email} is set; his sessions have ended")


@app.command("second-factor-off")
def second_factor_off(subdomain: _Subdomain, email: _Email, data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """Take away the second factor of an agent who has lost it, and end his sessions."""

    async def work() -> None:
        async with _tenant(data, subdomain) as place:
            agent = place.tenant.agents_by_email.get(email.lower())
            if agent is None or agent.disabled:
                raise CommandError(f'there is no agent "{email}" who may work')
            await reset_second_factor(place.begin, place.tenant.tenant_id, COMMAND, agent.agent_id)

    run(work)
    if json:
        print_json({"subdomain": subdomain, "email": email})
    else:
        typer.echo(f"{email} signs in without a second factor now")


@asynccontextmanager
async def _tenant(data: Data, subdomain: str) -> AsyncIterator[_Place]:
    async with open_database(data) as database:
        async with database.connection() as conn:
            tenant = await read_tenant(conn, await require_tenant_id(conn, subdomain))
        yield _Place(Begin(database, Ids(), lambda: datetime.now(UTC), random), tenant)
