"""The figures as Markdown, for the README: the same report that is shown in a terminal."""

from smsdesk.bench.report import Bench, Headline, Report


def to_markdown(bench: Bench) -> str:
    """The headlines and the table of each benchmark, and under them the command that made them."""
    facts = ", ".join(f"{key} {value}" for key, value in bench.machine.items() if key != "folder")
    made = f"`{bench.command}`, {bench.started_at[:10]}, {bench.seconds:.0f} s; {facts}."
    return "\n\n".join([*map(_report, bench.reports), made])


def _report(report: Report) -> str:
    lines = [f"**{report.title}**", "", *map(_headline, report.headlines)]
    if report.rows:
        lines += ["", "| measurement | a second | p50 ms | p99 ms |", "|---|---:|---:|---:|"]
    for row in report.rows:
        p50, p99 = (f"{time:.1f}" if time else "" for time in (row.latency.p50_ms, row.latency.p99_ms))
        lines.append(f"| {row.name} | {row.per_second:,.0f} | {p50} | {p99} |")
    costs = "; ".join(
        f"{used.name} {used.cpu_us_each:.0f} us" + (f", at most {used.peak_mb:.0f} MB" if used.peak_mb else "")
        for used in report.costs
    )
    return "\n".join([*lines, "", f"{report.costs_of}: {costs}."] if costs else lines)


def _headline(entry: Headline) -> str:
    limits = [f"at least {entry.least:g}"] if entry.least is not None else []
    limits += [f"at most {entry.most:g}"] if entry.most is not None else []
    promise = f" (promised: {', '.join(limits)}{'' if entry.kept else '; missed'})" if limits else ""
    value = f"{entry.value:g} times" if entry.unit == "x" else f"{entry.value:g} {entry.unit}"
    return f"- {entry.name}: **{value}**{promise}"
