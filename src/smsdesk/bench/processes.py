"""What processes used, as Linux tells it under /proc."""

import os
import time
from pathlib import Path

import msgspec

PROC = Path("/proc")


class Usage(msgspec.Struct, frozen=True):
    """CPU seconds, user and system, and the most memory that one process ever had resident, in bytes."""

    cpu_seconds: float
    peak_rss: int


class Meter:
    """CPU that families of processes use from now on, and their peak memory.

    `roots` maps a name to a process id; a family is that process and all below it, whenever they were born, and those
    that its members have waited for. Peak memory is that of its largest process: shared memory would be counted many
    times in a sum. Raises OSError where there is no /proc.
    """

    def __init__(self, roots: dict[str, int]) -> None:
        if not (PROC / "self/stat").exists():
            raise OSError("CPU and memory of processes can be measured on Linux only: there is no /proc here")
        self._roots = roots
        self._first = {name: usage(pid) or Usage(0.0, 0) for name, pid in roots.items()}
        self._last = dict(self._first)

    def look(self) -> dict[str, Usage]:
        """Each family's use since the beginning; of one that is gone, until the last look."""
        for name, pid in self._roots.items():
            self._last[name] = usage(pid) or self._last[name]
        return {
            name: Usage(round(last.cpu_seconds - self._first[name].cpu_seconds, 3), last.peak_rss)
            for name, last in self._last.items()
        }


def usage(pid: int) -> Usage | None:
    """What this process and its family used so far, None when it is gone."""
    found = [each for each in map(_usage, family(pid)) if each]
    return Usage(sum(each.cpu_seconds for each in found), max(each.peak_rss for each in found)) if found else None


def _usage(pid: int) -> Usage | None:
    """One process and the children that it has waited for: fields 14 to 17 of stat, proc(5)."""
    try:
        fields = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        status = (PROC / str(pid) / "status").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    peak = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")), "0")
    return Usage(sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK"), int(peak) * 1024)


def busy(seconds: float) -> float:
    """Which share of this machine's cores works at the moment, looked at for so long: 0 to 1. Raises OSError without
    /proc."""
    before = ticks()
    time.sleep(seconds)
    after = ticks()
    return (after[0] - before[0]) / max(1, sum(after) - sum(before))


def ticks() -> tuple[int, int]:
    """What all cores of this machine worked and did not work since it was started, in clock ticks. Raises OSError
    without /proc. Field 4 and 5 of the first line of stat are idle and iowait, proc(5)."""
    found = [int(each) for each in (PROC / "stat").read_text(encoding="utf-8").split("\n", 1)[0].split()[1:9]]
    idle = found[3] + found[4]
    return sum(found) - idle, idle


def family(pid: int) -> tuple[int, ...]:
    """This process and all below it, as PostgreSQL's server and its backends. Empty when it is gone."""
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
            except (FileNotFoundError, ProcessLookupError):
                continue
            children.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(entry.name))
    if not (PROC / str(pid)).exists():
        return ()
    found = [pid]
    for parent in found:
        found.extend(children.get(parent, ()))
    return tuple(found)
