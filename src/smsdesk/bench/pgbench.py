"""The same yardstick by PostgreSQL's own tool, whose clients cost less than ours, where it is installed."""

import asyncio
import os
import re
import resource
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


async def pgbench(script: Script) -> BaselineResult:
    """Runs the script over the extended protocol, prepared, with one thread; latencies come from pgbench's own log.

    Raises RuntimeError with pgbench's last line when it fails or any transaction does. Warm-up is the caller's.
    """
    address, environment = _address(script.dsn)
    with tempfile.TemporaryDirectory(prefix="pgbench") as folder:
        file = Path(folder, "script.sql")
        file.write_text(script.text, encoding="utf-8")
        command = (
            f"--no-vacuum --protocol=prepared --jobs=1 --client={script.clients} --time={script.seconds} --log"
        ).split()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        process = await asyncio.create_subprocess_exec(
            script.binary, *command, f"--log-prefix={folder}/log", f"--file={file}", address,
            env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said, complained = await process.communicate()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times = [
            int(line.split()[2]) * 1000 for log in Path(folder).glob("log.*") for line in log.open(encoding="ascii")
        ]
    rate = re.search(rb"^tps = ([0-9.]+)", said, re.MULTILINE)
    failed = re.search(rb"number of failed transactions: ([1-9][0-9]*)", said)
    if process.returncode or rate is None or failed or not times:
        lines = complained.decode("utf-8", "replace").strip().splitlines() or ["no transaction was made"]
        raise RuntimeError(f"pgbench failed: {lines[-1]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return BaselineResult(
        clients=script.clients,
        group=script.group,
        seconds=float(script.seconds),
        commits=len(times),
        commits_per_second=round(float(rate[1]), 1),
        per_second=round(float(rate[1]) * script.group, 1),
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
