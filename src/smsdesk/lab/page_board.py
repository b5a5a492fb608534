"""The page's board: lines, vendors and counters, with their figures."""

from functools import cache
from html import escape
from pathlib import Path
from string import Template

import msgspec

from smsdesk.lab.stats import LineInfo, Stats
from smsdesk.lab.vendors.gateway import Gateway

_SHOWN_LINES = 100


@cache
def _template(name: str) -> Template:
    return Template((Path(__file__).parent / "templates" / name).read_text("utf-8").rstrip("\n"))


def board(lines: list[LineInfo], gateways: list[Gateway], stats: Stats) -> str:
    """The tables of lines and vendors, and the counters."""
    problems = "".join(
        f'<p class="problem">{escape(gateway.vendor.name)}: {escape(gateway.counts.problem)}</p>'
        for gateway in gateways
        if gateway.counts.problem
    )
    counters = msgspec.structs.asdict(stats).items()
    return _template("board.html").substitute(
        lines="".join(map(_line, lines[:_SHOWN_LINES]))
        or '<tr><td colspan="7" class="none">No line is open.</td></tr>',
        vendors="".join(map(_vendor, gateways)),
        problems=problems,
        counters="".join(f"<div><dt>{name.replace('_', ' ')}</dt><dd>{value:,}</dd></div>" for name, value in counters),
    )


def _line(line: LineInfo) -> str:
    return _template("line.html").substitute(
        line=escape(line.line),
        system=escape(line.system_id) or "-",
        session=escape(line.session) or "not bound",
        peer=escape(line.peer),
        submits=f"{line.submits:,}",
        delivers=f"{line.delivers:,}",
        waiting=f"{line.waiting:,}",
    )


def _vendor(gateway: Gateway) -> str:
    counts = gateway.counts
    failed = counts.given_up + counts.blocked
    return _template("vendor.html").substitute(
        name=escape(gateway.vendor.name),
        path=f"/vendors/{gateway.vendor.name}/",
        texts=f"{counts.texts:,}",
        refused=f"{counts.refused:,}",
        callbacks=f"{counts.callbacks:,}",
        repeats=f"{counts.repeats:,}",
        failed=f"{failed:,}",
        failed_class="down" if failed else "",
        replies=f"{counts.replies:,}",
    )
