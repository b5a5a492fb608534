"""`smsdesk lab`: a simulated carrier with handsets."""

from pathlib import Path
from typing import Annotated

import typer

from smsdesk.cli.options import CommandError, run
from smsdesk.lab.config import LabConfig
from smsdesk.lab.flags import Flags, configure
from smsdesk.lab.profiles import PROFILES
from smsdesk.lab.server import Lab, run_lab

_DEFAULT = LabConfig()
_TlsPort = Annotated[int | None, typer.Option(min=0, max=65535, help="SMPP over TLS as well; 0 takes any.")]
_Faults = Annotated[list[str], typer.Option("--fault", metavar="NAME=VALUE", help="A field of PUT /faults.")]
_Dialect = Annotated[list[str], typer.Option("--dialect", metavar="NAME=VALUE", help="A field of PUT /dialect.")]
_Profile = Annotated[str, typer.Option(help=f"How the network is today: {', '.join(PROFILES)}.")]
_Numbers = Annotated[list[str], typer.Option("--profile-number", metavar="NAME=VALUE", help="One of its numbers.")]
_Accounts = Annotated[Path | None, typer.Option(help="JSON with the HTTP vendors' accounts.")]
_Pace = Annotated[float, typer.Option(min=0, help="Waits of vendors' callbacks, as a share of the documented.")]
_Hosts = Annotated[list[str], typer.Option("--allow-host", help="Besides this machine's own: where callbacks may go.")]


def lab(
    host: Annotated[str, typer.Option(help="The address that it listens on.")] = _DEFAULT.host,
    smpp_port: Annotated[int, typer.Option(min=0, max=65535, help="SMPP 3.4; 0 takes any.")] = _DEFAULT.smpp_port,
    smpp_tls_port: _TlsPort = None,
    http_port: Annotated[int, typer.Option(min=0, max=65535, help="Handsets; 0 takes any.")] = _DEFAULT.http_port,
    fault: _Faults = [],  # noqa: B006 - typer makes a list for each call
    dialect: _Dialect = [],  # noqa: B006
    profile: _Profile = "perfect",
    profile_number: _Numbers = [],  # noqa: B006
    vendor_accounts: _Accounts = None,
    callback_pace: _Pace = _DEFAULT.callback_pace,
    allow_host: _Hosts = [],  # noqa: B006
    keep_texts: Annotated[int, typer.Option(min=1, help="Texts kept in memory.")] = _DEFAULT.keep_texts,
    seed: Annotated[int | None, typer.Option(help="Of the faults' chance.")] = None,
    ready_file: Annotated[Path | None, typer.Option(help="Gets the ports as JSON once it listens.")] = None,
) -> None:
    """Run a simulated carrier: an SMPP 3.4 SMSC, HTTP vendors, and handsets to read, reply and break things with."""
    flags = Flags(
        fault=fault,
        dialect=dialect,
        profile=profile,
        profile_number=profile_number,
        vendor_accounts=vendor_accounts,
        allow_host=allow_host,
    )

    def ready(made: Lab) -> None:
        secure = "" if made.smpp_tls_port is None else f" smpps://{host}:{made.smpp_tls_port}"
        typer.echo(f"ready smpp://{host}:{made.smpp_port} http://{host}:{made.http_port}/{secure}")

    async def work() -> None:
        try:
            config = configure(
                flags,
                host=host,
                smpp_port=smpp_port,
                smpp_tls_port=smpp_tls_port,
                http_port=http_port,
                callback_pace=callback_pace,
                keep_texts=keep_texts,
                seed=seed,
            )
            await run_lab(config, ready_file, ready)
        except ValueError as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"a port on {host} cannot be used: {error.strerror}; choose others") from None

    run(work)
