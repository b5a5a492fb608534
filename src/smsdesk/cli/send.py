"""`smsdesk send` and `smsdesk explain`: one text by the API, or what would become of it."""

import os
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from smsdesk.cli.options import DEFAULT_DATA, CommandError, Data, Json, print_json, run
from smsdesk.conform.run import Credential
from smsdesk.demo.keys import read_keys
from smsdesk.domain.setup import limit_name

_Message = Annotated[str, typer.Argument(help="The words to send.")]
_To = Annotated[str, typer.Option("--to", help="The consumer's number.")]
_From = Annotated[str | None, typer.Option("--from", help="A number of the tenant; the demo's where missing.")]
_Url = Annotated[str | None, typer.Option(envvar="SMSDESK_URL", help="The server; the demo's where missing.")]
_User = Annotated[
    str | None, typer.Option("-u", "--user", envvar="SMSDESK_USER", help="SUBDOMAIN:TOKEN; the demo's where missing.")
]
_Ticket = Annotated[str | None, typer.Option(help="The CRM ticket of the chat.")]
_Agent = Annotated[str | None, typer.Option(help="The e-mail address of the agent who gets the chat.")]
_Category = Annotated[str | None, typer.Option(help="transactional, marketing or urgent: what quiet hours go by.")]
_Zone = Annotated[str | None, typer.Option("--time-zone", help="Where the consumer is, such as America/New_York.")]
_Key = Annotated[str | None, typer.Option(help="An Idempotency-Key: the same one sends once.")]
SECONDS = 30.0


def send(
    message: _Message, to: _To, outbound_number: _From = None, ticket: _Ticket = None, agent: _Agent = None,
    category: _Category = None, zone: _Zone = None, key: _Key = None, url: _Url = None, user: _User = None,
    data: Data = DEFAULT_DATA, json: Json = False,
) -> None:  # fmt: skip
    """Open a chat with a consumer and send its first text."""
    fields = {"end_user_number": to, "outbound_number": outbound_number, "message": message, "ticket_id": ticket,
              "agentEmail": agent, "category": category, "end_user_time_zone": zone}  # fmt: skip
    status, answer = run(lambda: _post(fields, data, url, user, key=key))
    if json:
        print_json(answer)
    if status != 200:
        raise typer.Exit(1) if json else _refused(status, answer)
    if not json:
        parts = answer.get("segments", "?")
        typer.echo(
            f"accepted: chat {answer['id']} ({answer['status']}), message {answer.get('message_id')}, {parts} part(s)"
        )


def explain(
    message: _Message, to: _To, outbound_number: _From = None, agent: _Agent = None, category: _Category = None,
    zone: _Zone = None, url: _Url = None, user: _User = None, data: Data = DEFAULT_DATA, json: Json = False,
) -> None:  # fmt: skip
    """Say what would become of a text and why; nothing is sent. Exit code 1 if it would be refused."""
    fields = {"end_user_number": to, "outbound_number": outbound_number, "message": message, "agentEmail": agent,
              "category": category, "end_user_time_zone": zone}  # fmt: skip
    status, answer = run(lambda: _post(fields, data, url, user, dry_run=True))
    if json:
        print_json(answer)
    elif status != 200:
        raise _refused(status, answer)
    else:
        Console().print(_explanation(answer, message))
    raise typer.Exit(0 if answer.get("would_send") else 1)


async def _post(
    fields: dict[str, str | None], data: Path, url: str | None, user: str | None, *, key: str | None = None,
    dry_run: bool = False,
) -> tuple[int, dict[str, Any]]:  # fmt: skip
    keys = read_keys(data)
    if keys is not None:
        url, user = url or keys.base_url, user or f"{keys.subdomain}:{keys.token}"
        fields["outbound_number"] = fields["outbound_number"] or keys.outbound_number
    if url is None or user is None:
        raise CommandError(
            f"say which server and who asks: --url and -u (there is no demo in {data} to take them from)"
        )
    try:
        credential = Credential.parse(user)
    except ValueError as error:
        raise CommandError(str(error)) from None
    body = {"chat_type": "Messaging (SMS)", **{name: value for name, value in fields.items() if value is not None}}
    headers = {"Authorization": aiohttp.encode_basic_auth(credential.subdomain, credential.token)}
    if key is not None:
        headers["Idempotency-Key"] = key
    where = f"{url.rstrip('/')}/apps/api/v1/sms" + ("?dry_run=true" if dry_run else "")
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS)) as http,
            http.post(where, json=body, headers=headers) as answer,
        ):
            return answer.status, await answer.json()
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        remedy = f"is the server there? {os.linesep}  smsdesk serve, or smsdesk demo"
        raise CommandError(f"{url} gave no answer ({type(error).__name__}): {remedy}") from None


def _refused(status: int, answer: dict[str, Any]) -> typer.Exit:
    typer.echo(f"error: {status} {answer.get('message')}", err=True)
    return typer.Exit(1)


def _explanation(told: dict[str, Any], message: str) -> Table:
    table = Table.grid(padding=(0, 2))
    verdict = Text("would be sent", "bold green") if told["would_send"] else Text("would be refused", "bold red")
    table.add_row("verdict", verdict)
    if told["message"]:
        table.add_row("why", told["message"])
    if told["session"]:
        chat = f" (chat {told['chat']['id']})" if told["chat"] else ""
        table.add_row("session", f"{told['session']}{chat}")
    if told["segments"]:
        unit = "septets" if told["encoding"] == "gsm7" else "UTF-16 units"
        table.add_row(
            "parts",
            f"{told['segments']} of at most {told['most_segments']}, {told['encoding']}, {told['units']} {unit}",
        )
        table.add_row("text", _marked(message, told["costly_characters"]))
    for one in told["costly_characters"]:
        swap = f"write {one['swap']}" if one["swap"] else "has no cheap likeness"
        table.add_row("costly", f"{one['character']} at {one['index']}: {one['name']}; {swap}")
    if swapped := told.get("swapped"):
        price = f", {swapped['price']} {told['currency']}" if swapped["price"] else ""
        table.add_row("swapped", f"{swapped['segments']} part(s), {swapped['encoding']}{price}")
    if told.get("carrier"):
        _foreseen(table, told)
    return table


def _foreseen(table: Table, told: dict[str, Any]) -> None:
    price = f"{told['price']} {told['currency']}" if told["price"] else "no rate of the carrier for this phone"
    why = f": {told['route_reason']}" if told["route_reason"] else ""
    table.add_row("price", price)
    table.add_row("carrier", f"{told['carrier']}, the {told['route']} one{why}")
    for limit in told["limits"]:
        name = limit_name(limit["scope"], limit["name"], limit["seconds"])
        table.add_row("limit", f"{name}: {limit['segments']:,} segments")
    if quiet := told.get("quiet_hours"):
        _quiet_hours(table, quiet)
    table.add_row("valid until", told["valid_until"])
    table.add_row("in doubt", "sent again" if told["on_doubt"] == "resend" else "held for a person")


def _quiet_hours(table: Table, quiet: dict[str, Any]) -> None:
    there = "quiet there now" if quiet["quiet_now"] else "not quiet there now"
    if quiet["held"]:
        table.add_row("quiet hours", Text(f"{there}: held until {quiet['leaves_at']}", "yellow"))
    else:
        table.add_row("quiet hours", f"{there}: leaves at once")
    if quiet["not_after"]:
        table.add_row("not after", quiet["not_after"])
    table.add_row("clocks", ", ".join(quiet["time_zones"]) or "not known")
    table.add_row("rule", quiet["rule"])


def _marked(message: str, costly: list[dict[str, Any]]) -> Text:
    text = Text(message)
    for one in costly:
        text.stylize("reverse red", one["index"], one["index"] + len(one["character"]))
    return text
