"""`smsdesk export`: a tenant's set-up as a file."""

from typing import Annotated

import typer

from smsdesk.cli.options import DEFAULT_DATA, CommandError, Data, Json, open_database, print_json, run
from smsdesk.domain.setup import State
from smsdesk.setup.export import export as as_document
from smsdesk.setup.export import export_file
from smsdesk.store.setup import read_state


def export(
    subdomain: Annotated[str, typer.Argument(help="The tenant.")], data: Data = DEFAULT_DATA, json: Json = False
) -> None:
    """Print a tenant's set-up as a file that `smsdesk apply` takes. Secrets are in it as references, passwords not."""

    async def work() -> State:
        async with open_database(data) as database, database.connection() as conn:
            state = await read_state(conn, subdomain)
            if state.tenant_id is None:
                raise CommandError(f'there is no tenant "{subdomain}": `smsdesk doctor` names those there are')
            return state

    state = run(work)
    if json:
        print_json(as_document(state))
    else:
        typer.echo(export_file(state), nl=False)
