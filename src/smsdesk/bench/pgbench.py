"""The same yardstick by PostgreSQL's own tool, whose clients cost less than ours, where it is installed."""

import os
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
    warm_up: int = 0
    """Seconds before the measured ones, in which sessions plan and caches fill."""


def pgbench(script: Script) -> BaselineResult:
    """Runs the script over the extended protocol, prepared, with one thread; all figures come from pgbench's own log.

    Blocks for the whole run. Raises RuntimeError with pgbench's first error when it fails, or when any transaction
    does.
    """
    address, environment = _address(script.dsn)
    with tempfile.TemporaryDirectory(prefix="pgbench") as folder:
        file = Path(folder, "script.sql")
        file.write_text(script.text, encoding="utf-8")
        options = f"--no-vacuum --protocol=prepared --jobs=1 --client={script.clients} --log"
        places = [f"--log-prefix={folder}/log", f"--file={file}", *(f"--define={name}" for name in script.variables)]
        places.append(f"--time={script.warm_up + script.seconds}")
        command = [str(script.binary), *options.split(), *places, address]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        logs = [log.read_text(encoding="ascii") for log in Path(folder).glob("log.*")]
    transactions = [_ended(line) for log in logs for line in log.splitlines()]
    errors = [line for line in run.stderr.splitlines() if "error:" in line.lower()]
    if run.returncode or errors or not transactions:
        raise RuntimeError(f"pgbench failed: {errors[0] if errors else 'no transaction was made'}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return _result(script, transactions, cpu / len(transactions))


def _ended(line: str) -> tuple[int, int]:
    """When a transaction ended and how long it took, in microseconds, from a line of `pgbench --log`."""
    _, _, took, _, seconds, microseconds = line.split()[:6]
    return int(seconds) * 1_000_000 + int(microseconds), int(took)


def _result(script: Script, transactions: list[tuple[int, int]], cpu: float) -> BaselineResult:
    begin = min(end - took for end, took in transactions) + script.warm_up * 1_000_000
    times = [took * 1000 for end, took in transactions if end >= begin]
    seconds = (max(end for end, _ in transactions) - begin) / 1e6
    if not times or seconds <= 0:
        raise RuntimeError("pgbench failed: no transaction ended in the measured time")
    return BaselineResult(
        clients=script.clients,
        group=script.group,
        seconds=round(seconds, 3),
        commits=len(times),
        commits_per_second=round(len(times) / seconds, 1),
        per_second=round(len(times) * script.group / seconds, 1),
        latency=summarize(times),
        cpu_us=round(cpu * 1e6, 1),
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
