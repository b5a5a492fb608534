"""`smsdesk bench promises`: what several benches promise and found, on one page."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from smsdesk.bench.report import Bench, Headline


def read_benches(paths: Iterable[Path]) -> list[Bench]:
    """What `--json` of benches printed. Raises ValueError, with its file, for something else, and OSError."""
    found = []
    for path in paths:
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=Bench))
        except msgspec.DecodeError as error:
            raise ValueError(f"{path} is not what --json of a bench printed: {error}") from error
    return found


def render_promises(benches: Sequence[Bench], console: Console) -> None:
    """Each promise with what was found, and how many are kept."""
    table = Table("", "found", "promised", "what", box=None, pad_edge=False)
    for column in table.columns[1:3]:
        column.justify = "right"
    promised: list[Headline] = []
    for bench in benches:
        facts = "; ".join([bench.started_at, *(f"{key} {value}" for key, value in bench.machine.items())])
        table.add_row("", "", "", f"\n{bench.command}\n{facts}".replace("[", "\\["), style="bold")
        for report in bench.reports:
            for each in report.headlines:
                if each.least is not None or each.most is not None:
                    promised.append(each)
                    table.add_row(*_line(each), style="green" if each.kept else "red")
    console.print(table)
    kept = sum(each.kept for each in promised)
    console.print(f"\n{kept} of {len(promised)} promises kept", markup=False, highlight=False)


def _line(each: Headline) -> tuple[str, str, str, str]:
    bounds = [f"{sign} {bound:g}" for sign, bound in ((">=", each.least), ("<=", each.most)) if bound is not None]
    name = each.name.replace("[", "\\[")
    return "kept" if each.kept else "MISSED", f"{each.value:,.2f} {each.unit}", ", ".join(bounds), name
