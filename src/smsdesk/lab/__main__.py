"""`python -m smsdesk.lab`: a lab as a process of its own, for tests, benches and the demo."""

import argparse
import asyncio
import contextlib
import importlib
import os
import signal
import sys
from pathlib import Path
from typing import cast

from smsdesk.lab.config import LabConfig
from smsdesk.lab.server import Lab, run_lab


def _arguments(arguments: list[str]) -> argparse.Namespace:
    defaults = LabConfig()
    parser = argparse.ArgumentParser(
        prog="python -m smsdesk.lab", description="A simulated carrier: SMSC and handsets."
    )
    parser.add_argument("--host", default=defaults.host)
    parser.add_argument("--smpp-port", type=int, default=defaults.smpp_port, help="0 takes any free one")
    parser.add_argument("--http-port", type=int, default=defaults.http_port, help="0 takes any free one")
    parser.add_argument("--ready-file", type=Path, help="gets the two ports as JSON once the lab listens")
    parser.add_argument("--system-id", help="only this system may bind, with the password of $SMSDESK_LAB_PASSWORD")
    parser.add_argument("--receipt-delay", type=float, default=defaults.receipt_delay, metavar="SECONDS")
    parser.add_argument("--deliver-timeout", type=float, default=defaults.deliver_timeout, metavar="SECONDS")
    parser.add_argument("--keep-texts", type=int, default=defaults.keep_texts, metavar="N")
    parser.add_argument("--answer-ids", choices=("hex", "decimal"), default=defaults.answer_ids)
    parser.add_argument("--receipt-ids", choices=("hex", "decimal"), default=defaults.receipt_ids)
    parser.add_argument("--seed", type=int, help="of the faults' chance")
    return parser.parse_args(arguments)


def _config(options: argparse.Namespace) -> LabConfig:
    password = os.environ.get("SMSDESK_LAB_PASSWORD")
    if options.system_id and not password:
        raise ValueError("--system-id needs its password in the environment: set SMSDESK_LAB_PASSWORD")
    return LabConfig(
        host=options.host,
        smpp_port=options.smpp_port,
        http_port=options.http_port,
        systems={options.system_id: password} if options.system_id and password else {},
        receipt_delay=options.receipt_delay,
        deliver_timeout=options.deliver_timeout,
        keep_texts=options.keep_texts,
        answer_ids=options.answer_ids,
        receipt_ids=options.receipt_ids,
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


def main(arguments: list[str]) -> int:
    """Runs until SIGINT or SIGTERM; the exit code is 0, or 1 with one line on standard error."""
    options = _arguments(arguments)
    try:
        with asyncio.Runner(loop_factory=_new_loop) as runner:
            runner.run(_run(_config(options), options.ready_file))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"The lab cannot start: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
