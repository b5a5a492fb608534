"""How a command of `smsdesk bench` runs its measurements and shows what they found."""

import os
import platform
import shlex
import signal
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import typer
from rich.console import Console

from smsdesk.bench.markdown import to_markdown
from smsdesk.bench.processes import busy
from smsdesk.bench.report import Bench, Report, render, to_json
from smsdesk.bench.rig import SETUP, BenchError, Rig, rig
from smsdesk.cli.options import CommandError, telling
from smsdesk.cli.progress import progressing
from smsdesk.log import set_up_log
from smsdesk.postgres import find_binaries

Measure = Callable[[Rig, Callable[[str], None]], Report]

LOOK = 1.0
"""Seconds in which it is seen how busy the machine is with other work."""


def numbers(option: str, said: str, most: int) -> tuple[int, ...]:
    """The numbers of a list with commas, in order; raises CommandError where one is none, under 1 or over `most`."""
    try:
        found = tuple(sorted({int(each) for each in said.split(",")}))
    except ValueError:
        found = ()
    if not found or not all(1 <= each <= most for each in found):
        raise CommandError(f"{option} {said}: give numbers from 1 to {most} with commas, such as 1,16,64")
    return found


def form(json: bool, markdown: bool) -> Callable[[Bench], None]:
    """How the figures are shown."""
    if json:
        return lambda bench: typer.echo(to_json(bench))
    if markdown:
        return lambda bench: typer.echo(to_markdown(bench))
    return lambda bench: render(bench, Console(width=None if sys.stdout.isatty() else 140))


def run_measures(
    measures: list[tuple[int, Measure]],
    data: Path | None,
    show: Callable[[Bench], None],
    setup: str = SETUP,
    settings: Mapping[str, str] | None = None,
) -> None:
    """Makes the measurements, each on a rig of its own, and shows what they found."""
    set_up_log("warning", for_people=sys.stderr.isatty())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    began, started_at = time.monotonic(), datetime.now(UTC)
    with telling(), progressing(sum(count for count, _ in measures)) as step:
        try:
            reports, others = [], busy(LOOK)
            for number, (_, measure) in enumerate(measures, 1):
                step.meanwhile("starting PostgreSQL")
                with rig(data / str(number) if data and len(measures) > 1 else data, setup, settings) as built:
                    reports.append(measure(built, step))
        except (BenchError, RuntimeError, OSError) as error:
            raise CommandError(f"the bench failed: {error}") from error
    command = shlex.join(["smsdesk", *sys.argv[1:]])
    took = round(time.monotonic() - began, 1)
    show(Bench(command, started_at.isoformat(timespec="seconds"), took, machine_facts(data, others), tuple(reports)))


def machine_facts(data: Path | None, busy_before: float) -> dict[str, str]:
    """What it was measured with, and how busy it was before."""
    return {
        "smsdesk": version("smsdesk"),
        "Python": platform.python_version(),
        "PostgreSQL": find_binaries().version,
        "cores": str(len(os.sched_getaffinity(0))),
        "busy with other work before": f"{busy_before:.0%}",
        "folder": str(data) if data else "temporary",
    }
