"""`smsdesk migrate`: brings the database to the schema of this version."""

from typing import Annotated

import typer

from smsdesk.cli.options import DEFAULT_DATA, Data, Json, connect, plain_connection, print_json, run
from smsdesk.store.migrate import migrate as apply_migrations
from smsdesk.store.migrate import pending


def migrate(
    check: Annotated[
        bool, typer.Option("--check", help="Only list what is missing; exit code 2 if anything is.")
    ] = False,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Bring the database to the schema of this version."""

    async def work() -> list[str]:
        async with connect(data) as database, plain_connection(database) as conn:
            return await (pending(conn) if check else apply_migrations(conn))

    names = run(work)
    if json:
        print_json({"pending" if check else "applied": names})
    else:
        for name in names:
            typer.echo(f"{'missing' if check else 'applied'}: {name}")
        if not names:
            typer.echo("the schema is up to date")
    if check and names:
        raise typer.Exit(2)
