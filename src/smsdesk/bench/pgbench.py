"""The same yardstick by PostgreSQL's own tool, whose clients cost less than ours, where it is installed."""

import os
import re
import resource
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from smsdesk.bench.latency import summarize
from smsdesk.bench.postgres import BaselineResult


@dataclass(frozen=True, slots=True)
class Script:
    """One pgbench run. `text` is a pgbench script that sends `group` rows in one transaction."""

    binary: Path
    dsn: str
    """A `postgresql://` address. Its password goes through the environment, not the command line."""
    text: str
    clients: int
    group: int = 1
    seconds: int = 5
    variables: tuple[str, ...] = ()
    """Set before the first transaction, such as `i=0` for a client's own counter."""


def pgbench(script: Script) -> BaselineResult:
    """Runs the script over the extended protocol, prepared, with one thread; latencies come from pgbench's own log.

    Blocks for the whole run; there is no warm-up. Raises RuntimeError with pgbench's first error when it fails, or when
    any transaction does.
    """
    address, environment = _address(script.dsn)
    with tempfile.TemporaryDirectory(prefix="pgbench") as folder:
        file = Path(folder, "script.sql")
        file.write_text(script.text, encoding="utf-8")
        options = f"--no-vacuum --protocol=prepared --jobs=1 --client={script.clients} --time={script.seconds} --log"
        places = [f"--log-prefix={folder}/log", f"--file={file}", *(f"--define={name}" for name in script.variables)]
        command = [str(script.binary), *options.split(), *places, address]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        logged = (line for log in Path(folder).glob("log.*") for line in log.read_text(encoding="ascii").splitlines())
        times = [int(line.split()[2]) * 1000 for line in logged]
    rate = re.search(r"^tps = ([0-9.]+)", run.stdout, re.MULTILINE)
    failed = re.search(r"number of failed transactions: ([1-9][0-9]*)", run.stdout)
    if run.returncode or rate is None or failed or not times:
        lines = (line for line in run.stderr.splitlines() if "error:" in line.lower())
        raise RuntimeError(f"pgbench failed: {next(lines, 'no transaction was made')}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return _result(script, float(rate[1]), times, cpu)


def _result(script: Script, rate: float, times: list[int], cpu: float) -> BaselineResult:
    return BaselineResult(
        clients=script.clients,
        group=script.group,
        seconds=float(script.seconds),
        commits=len(times),
        commits_per_second=round(rate, 1),
        per_second=round(rate * script.group, 1),
        latency=summarize(times),
        cpu_us=round(cpu * 1e6 / len(times), 1),
        last=0,
    )


def _address(dsn: str) -> tuple[str, dict[str, str]]:
    parts = urlsplit(dsn)
    user, at, place = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    environment = dict(os.environ)
    if colon:
        environment["PGPASSWORD"] = parts.password or ""
    return urlunsplit(parts._replace(netloc=f"{name}{at}{place}")), environment
