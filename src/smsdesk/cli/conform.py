"""`smsdesk conform`: does a server answer as the imitated API's page says?"""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from smsdesk.cli.options import DEFAULT_DATA, CommandError, Data, Json, run
from smsdesk.conform import report as reports
from smsdesk.conform.run import (
    PAGE_AGENT_EMAIL,
    PAGE_AGENT_ID,
    PAGE_OUTBOUND,
    Credential,
    Server,
    conform,
    consumer_numbers,
)
from smsdesk.demo.keys import read_keys

_Switch = Annotated[str | None, typer.Option(help="SUBDOMAIN:TOKEN of a tenant where this is switched off.")]


def check(
    url: Annotated[str, typer.Argument(help="The server's address; {subdomain} in it becomes the credential's.")],
    user: Annotated[str | None, typer.Option("-u", "--user", help="SUBDOMAIN:TOKEN; the demo's where missing.")] = None,
    sms_off: _Switch = None,
    outbound_off: _Switch = None,
    outbound_number: Annotated[str, typer.Option(help="A number of the tenant.")] = PAGE_OUTBOUND,
    agent_id: Annotated[int, typer.Option(help="An agent of the tenant.")] = PAGE_AGENT_ID,
    agent_email: Annotated[str, typer.Option(help="The same agent's address.")] = PAGE_AGENT_EMAIL,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Send the page's 16 examples to a server and compare its answers. Exit code 1 if one differs."""

    async def work() -> reports.Report:
        server = Server(
            url, *_credentials(url, (user, sms_off, outbound_off), data),
            outbound_number=outbound_number, agent_id=agent_id, agent_email=agent_email,
        )  # fmt: skip
        return await conform(server, consumer_numbers(int(time.time())))

    report = run(work)
    if json:
        typer.echo(reports.to_json(report).decode())
    else:
        reports.render(report, Console())
    raise typer.Exit(0 if report.ok else 1)


def _credentials(
    url: str, given: tuple[str | None, str | None, str | None], data: Path
) -> tuple[Credential, Credential | None, Credential | None]:
    """Those that were given; where the server is this data folder's demo, its own for what was left out."""
    user, sms_off, outbound_off = given
    keys = read_keys(data)
    if keys is not None and keys.base_url == url.rstrip("/"):
        user = user or f"{keys.subdomain}:{keys.token}"
        sms_off = sms_off or keys.conform.get("sms_off")
        outbound_off = outbound_off or keys.conform.get("outbound_off")
    if user is None:
        raise CommandError("say who asks: -u SUBDOMAIN:TOKEN")
    try:
        return (
            Credential.parse(user),
            Credential.parse(sms_off) if sms_off else None,
            Credential.parse(outbound_off) if outbound_off else None,
        )
    except ValueError as error:
        raise CommandError(str(error)) from None
