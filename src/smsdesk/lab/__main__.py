"""`python -m smsdesk.lab`: a lab as a process of its own, for tests, benches and the demo."""

import argparse
import asyncio
import contextlib
import gc
import importlib
import os
import signal
import sys
from pathlib import Path
from typing import cast

from smsdesk.lab.config import LabConfig
from smsdesk.lab.flags import Flags, configure
from smsdesk.lab.profiles import PROFILES
from smsdesk.lab.server import Lab, run_lab


def _arguments(arguments: list[str]) -> argparse.Namespace:
    defaults = LabConfig()
    parser = argparse.ArgumentParser(
        prog="python -m smsdesk.lab", description="A simulated carrier: SMSC, HTTP vendors and handsets."
    )
    parser.add_argument("--host", default=defaults.host)
    parser.add_argument("--smpp-port", type=int, default=defaults.smpp_port, help="0 takes any free one")
    parser.add_argument("--smpp-tls-port", type=int, help="SMPP over TLS as well; 0 takes any free one")
    parser.add_argument("--http-port", type=int, default=defaults.http_port, help="0 takes any free one")
    parser.add_argument("--ready-file", type=Path, help="gets the ports as JSON once the lab listens")
    parser.add_argument("--system-id", help="only this system may bind, with the password of $SMSDESK_LAB_PASSWORD")
    parser.add_argument("--deliver-timeout", type=float, default=defaults.deliver_timeout, metavar="SECONDS")
    interval = defaults.enquire_link_interval
    parser.add_argument("--enquire-link-interval", type=float, default=interval, metavar="SECONDS")
    parser.add_argument("--keep-texts", type=int, default=defaults.keep_texts, metavar="N")
    parser.add_argument("--binds-per-system", type=int, default=defaults.binds_per_system, metavar="N")
    parser.add_argument("--submit-window", type=int, default=defaults.submit_window, metavar="N")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME=VALUE", help="a field of PUT /faults")
    parser.add_argument("--dialect", action="append", default=[], metavar="NAME=VALUE", help="a field of PUT /dialect")
    parser.add_argument("--profile", choices=tuple(PROFILES), default="perfect")
    parser.add_argument("--profile-number", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--vendor-accounts", type=Path, metavar="FILE", help="JSON: the HTTP vendors' accounts")
    parser.add_argument("--callback-pace", type=float, default=defaults.callback_pace, metavar="SHARE")
    parser.add_argument("--allow-host", action="append", default=[], metavar="HOST")
    parser.add_argument("--seed", type=int, help="of the faults' chance")
    return parser.parse_args(arguments)


def _config(options: argparse.Namespace) -> LabConfig:
    password = os.environ.get("SMSDESK_LAB_PASSWORD")
    if options.system_id and not password:
        raise ValueError("--system-id needs its password in the environment: set SMSDESK_LAB_PASSWORD")
    flags = Flags(
        fault=options.fault,
        dialect=options.dialect,
        profile=options.profile,
        profile_number=options.profile_number,
        vendor_accounts=options.vendor_accounts,
        allow_host=options.allow_host,
    )
    return configure(
        flags,
        host=options.host,
        smpp_port=options.smpp_port,
        smpp_tls_port=options.smpp_tls_port,
        http_port=options.http_port,
        systems={options.system_id: password} if options.system_id and password else {},
        deliver_timeout=options.deliver_timeout,
        enquire_link_interval=options.enquire_link_interval,
        keep_texts=options.keep_texts,
        binds_per_system=options.binds_per_system,
        submit_window=options.submit_window,
        callback_pace=options.callback_pace,
        seed=options.seed,
    )


def _say(lab: Lab) -> None:
    sys.stderr.write(
        f"SMPP 3.4 on {lab.config.host}:{lab.smpp_port}, handsets on http://{lab.config.host}:{lab.http_port}/\n"
    )


async def _run(config: LabConfig, ready_file: Path | None) -> None:
    work = asyncio.create_task(run_lab(config, ready_file, _say))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await work


def _new_loop() -> asyncio.AbstractEventLoop:
    """uvloop where it exists: it has no build for Windows."""
    try:
        return cast("asyncio.AbstractEventLoop", importlib.import_module("uvloop").new_event_loop())
    except ImportError:
        return asyncio.new_event_loop()


def _tune_collector() -> None:
    """A walk over all that the handsets hold stops every line: a quarter of a second with 20,000 texts, which a bench
    would take for the server's. What is dropped here is hardly ever in a circle."""
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


def main(arguments: list[str]) -> int:
    """Runs until SIGINT or SIGTERM; the exit code is 0, or 1 with one line on standard error."""
    options = _arguments(arguments)
    _tune_collector()
    try:
        with asyncio.Runner(loop_factory=_new_loop) as runner:
            runner.run(_run(_config(options), options.ready_file))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"The lab cannot start: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
