"""What processes used, as Linux tells it under /proc."""

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

PROC = Path("/proc")


class Usage(msgspec.Struct, frozen=True):
    """CPU seconds since the process began (user and system), and the most memory it ever had resident, in bytes."""

    cpu_seconds: float
    peak_rss: int


class Meter:
    """CPU that named processes use from now on, and their peak memory.

    `groups` maps a name to process ids; a group's processes may end in between, and what they used until the last look
    still counts. Peak memory of a group is that of its largest process: shared memory would be counted many times in a
    sum. Raises OSError where there is no /proc.
    """

    def __init__(self, groups: dict[str, Iterable[int]]) -> None:
        if not (PROC / "self/stat").exists():
            raise OSError("CPU and memory of processes can be measured on Linux only: there is no /proc here")
        self._groups = {name: tuple(pids) for name, pids in groups.items()}
        self._first = {pid: usage(pid) for pids in self._groups.values() for pid in pids}
        self._last = dict(self._first)

    def look(self) -> dict[str, Usage]:
        """Each group's use since the beginning of the measurement."""
        for pid in self._last:
            self._last[pid] = usage(pid) or self._last[pid]
        return {name: self._group(pids) for name, pids in self._groups.items()}

    def _group(self, pids: tuple[int, ...]) -> Usage:
        cpu, peak = 0.0, 0
        for pid in pids:
            first, last = self._first[pid], self._last[pid]
            if first and last:
                cpu += last.cpu_seconds - first.cpu_seconds
                peak = max(peak, last.peak_rss)
        return Usage(round(cpu, 3), peak)


def usage(pid: int) -> Usage | None:
    """What this process used so far, None when it is gone. proc(5): utime and stime are fields 14 and 15 of stat."""
    try:
        fields = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        status = (PROC / str(pid) / "status").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    peak = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")), "0")
    return Usage((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), int(peak) * 1024)


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
