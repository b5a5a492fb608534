"""`smsdesk lab`: a simulated carrier with handsets."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from smsdesk.cli.options import CommandError, run
from smsdesk.lab.config import LabConfig
from smsdesk.lab.server import Lab, run_lab

_DEFAULT = LabConfig()


def lab(
    host: Annotated[str, typer.Option(help="The address that it listens on.")] = _DEFAULT.host,
    smpp_port: Annotated[int, typer.Option(min=0, max=65535, help="SMPP 3.4; 0 takes any.")] = _DEFAULT.smpp_port,
    http_port: Annotated[int, typer.Option(min=0, max=65535, help="Handsets; 0 takes any.")] = _DEFAULT.http_port,
    receipt_delay: Annotated[float, typer.Option(min=0, help="Seconds until a receipt comes.")] = 0.0,
    seed: Annotated[int | None, typer.Option(help="Of the faults' chance.")] = None,
    ready_file: Annotated[Path | None, typer.Option(help="Gets the two ports as JSON once it listens.")] = None,
) -> None:
    """Run a simulated carrier: an SMPP 3.4 SMSC and handsets to read, reply and break things with."""
    config = replace(
        _DEFAULT, host=host, smpp_port=smpp_port, http_port=http_port, receipt_delay=receipt_delay, seed=seed
    )

    def ready(made: Lab) -> None:
        typer.echo(f"ready smpp://{host}:{made.smpp_port} http://{host}:{made.http_port}/")

    async def work() -> None:
        try:
            await run_lab(config, ready_file, ready)
        except OSError as error:
            raise CommandError(f"a port on {host} cannot be used: {error.strerror}; choose others") from None

    run(work)
