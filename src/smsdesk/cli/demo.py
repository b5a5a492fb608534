"""`smsdesk demo`: all of it at once, on this machine, with a lab for a carrier."""

import asyncio
import os
import secrets
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import aiohttp
import typer
from rich.console import Console

from smsdesk.actions.apply_setup import apply_setup
from smsdesk.actions.create_token import create_token
from smsdesk.actions.plan_setup import SetupFile, plan_setup
from smsdesk.actions.regenerate_token import regenerate_token
from smsdesk.carriers.registry import CARRIERS
from smsdesk.cli.options import DEFAULT_DATA, CommandError, Data, Json, open_database, print_json, run
from smsdesk.demo.keys import DemoAgent, Keys, read_keys, write_keys
from smsdesk.demo.processes import DemoError, child, free_port
from smsdesk.demo.screen import Screen
from smsdesk.demo.story import Ends, Story
from smsdesk.domain.token import digest
from smsdesk.errors import Problem
from smsdesk.store.db import Database
from smsdesk.store.tenants import read_tenant, require_tenant_id

TOKEN_NAME = "demo"  # noqa: S105 - its name
PASSWORD = "SMSDESK_DEMO_PASSWORD"  # noqa: S105 - the variable's name
OURS = "+16285550199"
DEFAULT_PORT = 8080
TENANTS = ("acme", "acme-sms-off", "acme-outbound-off")


def demo(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of the API and the pages.")] = DEFAULT_PORT,
    once: Annotated[bool, typer.Option("--once", help="End after the first conversation.")] = False,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Send the page's first example to a handset and show both ends; then go on until Ctrl-C."""
    console = Console(quiet=json)

    async def work() -> None:
        try:
            await _demo(console, data, port, once=once, json=json)
        except DemoError as error:
            raise CommandError(str(error)) from None

    run(work)


async def _demo(console: Console, data: Path, port: int, *, once: bool, json: bool) -> None:
    chosen = free_port(wanted=port)
    if chosen != port and port and not once:
        raise DemoError(f"port {port} is taken: choose another by --port")
    status = console.status("starting PostgreSQL, a lab and a server: a few seconds, the first time a few more")
    status.start()
    try:
        async with open_database(data) as database:
            keys = await _set_up(database, data, f"http://127.0.0.1:{chosen}")
            async with _processes(data, chosen) as lab_url, aiohttp.ClientSession() as http:
                status.stop()
                keys.lab_url = lab_url
                write_keys(data, keys)
                await _tell(console, Ends(http, keys), json=json)
                if not once:
                    Screen(console).next_steps(keys, str(data))
                    await _interrupted()
    finally:
        status.stop()


async def _tell(console: Console, ends: Ends, *, json: bool) -> None:
    screen, story = Screen(console), Story(ends)
    screen.request(ends.keys)
    sent = await story.send()
    screen.answer(*sent)
    arrived = await story.arrive()
    screen.arrival(*arrived)
    replied = await story.reply()
    screen.reply(*replied)
    answered = await story.answer()
    screen.agent(*answered)
    if json:
        print_json({"answer": sent[1], "handset": [arrived[0], answered[0]], "reply": replied[0], "chat": answered[1]})


async def _set_up(database: Database, data: Path, base_url: str) -> Keys:
    """Applies the demo's set-up and makes sure of a token that works; what an earlier demo made stays as it is."""
    old = read_keys(data)
    password = old.agents[0].password if old and old.agents else secrets.token_urlsafe(12)
    text = files("smsdesk.demo").joinpath("setup.yaml").read_bytes()
    configs = {name: carrier.Config for name, carrier in CARRIERS.items()}
    environ = {**os.environ, PASSWORD: password}
    for planned in await plan_setup(
        database, SetupFile("the demo's set-up", text, data, configs, environ), secrets.token_bytes
    ):
        await apply_setup(database, planned, datetime.now(UTC))
    given = {"acme": old.token, **dict(each.split(":") for each in old.conform.values())} if old else {}
    tokens = {name: await _token(database, name, given.get(name, "")) for name in TENANTS}
    async with database.connection() as conn:
        tenant = await read_tenant(conn, await require_tenant_id(conn, "acme"))
    agents = [DemoAgent(agent.agent_id, agent.email, password) for agent in tenant.agents.values()]
    conform = {name.removeprefix("acme-").replace("-", "_"): f"{name}:{tokens[name]}" for name in tokens if "-" in name}
    return Keys(base_url, "acme", tokens["acme"], OURS, agents, conform=conform)


async def _token(database: Database, subdomain: str, given: str) -> str:
    """The token of an earlier demo while it is good, so that those who hold it may go on; else a new one."""
    async with database.connection() as conn:
        tenant = await read_tenant(conn, await require_tenant_id(conn, subdomain))
    if digest(given) in tenant.credentials:
        return given
    now = datetime.now(UTC)
    try:
        return await create_token(database, subdomain, TOKEN_NAME, now, secrets.token_bytes)
    except Problem:  # there is one, and nobody remembers it
        return await regenerate_token(database, subdomain, TOKEN_NAME, now, secrets.token_bytes)


@asynccontextmanager
async def _processes(data: Path, port: int) -> AsyncIterator[str]:
    """The lab and the server, until the block ends; yields the lab's address."""
    lab = ["smsdesk", "lab", "--smpp-port", "0", "--http-port", str(free_port(wanted=port + 1))]
    async with child("lab", lab, {}, data / "lab.log") as ready:
        _, smpp, lab_url = ready.split()
        environ = {"SMSDESK_LAB": smpp.removeprefix("smpp://"), "SMSDESK_LAB_PAGE": lab_url}
        server = ["smsdesk", "serve", "--port", str(port), "--data", str(data)]
        async with child("server", server, environ, data / "server.log"):
            yield lab_url.rstrip("/")


async def _interrupted() -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await stop.wait()
