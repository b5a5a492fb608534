"""`smsdesk token`: the API tokens of a tenant."""

import secrets
from datetime import UTC, datetime
from typing import Annotated

import typer

from smsdesk.actions.create_token import create_token
from smsdesk.actions.disable_token import disable_token
from smsdesk.actions.list_tokens import list_tokens
from smsdesk.actions.regenerate_token import regenerate_token
from smsdesk.cli.options import DEFAULT_DATA, Data, Json, open_database, print_json, run
from smsdesk.store.credentials import CredentialRow

app = typer.Typer(no_args_is_help=True, help="The API tokens of a tenant: shown once, stored hashed.")

_Subdomain = Annotated[str, typer.Argument(help="The tenant.")]
_Name = Annotated[str, typer.Argument(help="What the token is called, such as the program that uses it.")]


@app.command()
def create(subdomain: _Subdomain, name: _Name, data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """Make a token and print it, this once."""

    async def work() -> str:
        async with open_database(data) as database:
            return await create_token(database, subdomain, name, datetime.now(UTC), secrets.token_bytes)

    _print_token(subdomain, name, run(work), json)


@app.command()
def regenerate(subdomain: _Subdomain, name: _Name, data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """Print a new token in the place of the old one, which is dead at once."""

    async def work() -> str:
        async with open_database(data) as database:
            return await regenerate_token(database, subdomain, name, datetime.now(UTC), secrets.token_bytes)

    _print_token(subdomain, name, run(work), json)


@app.command()
def disable(subdomain: _Subdomain, name: _Name, data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """Refuse every request with a token from now on."""
    _switch(subdomain, name, data, json, enable=False)


@app.command()
def enable(subdomain: _Subdomain, name: _Name, data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """Take requests with a disabled token again."""
    _switch(subdomain, name, data, json, enable=True)


@app.command("list")
def list_(subdomain: _Subdomain, data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """List a tenant's tokens: their names and times, never the tokens."""

    async def work() -> list[CredentialRow]:
        async with open_database(data) as database:
            return await list_tokens(database, subdomain)

    rows = run(work)
    if json:
        print_json({"subdomain": subdomain, "tokens": rows})
        return
    width = max([len(row.name) for row in rows], default=0)
    for row in rows:
        state = "disabled" if row.disabled_at else "active"
        renewed = f"  regenerated {_minute(row.regenerated_at)}" if row.regenerated_at else ""
        typer.echo(f"{row.name:<{width}}  {state:<8}  created {_minute(row.created_at)}{renewed}")


def _minute(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _switch(subdomain: str, name: str, data: Data, json: bool, *, enable: bool) -> None:
    async def work() -> None:
        async with open_database(data) as database:
            await disable_token(database, subdomain, name, datetime.now(UTC), enable=enable)

    run(work)
    if json:
        print_json({"subdomain": subdomain, "name": name, "disabled": not enable})
    else:
        typer.echo(f'token "{name}" of {subdomain} is {"enabled" if enable else "disabled"}')


def _print_token(subdomain: str, name: str, token: str, json: bool) -> None:
    if json:
        print_json({"subdomain": subdomain, "name": name, "token": token})
    else:
        typer.echo(token)
        typer.echo("Keep it: it is shown this once.", err=True)
