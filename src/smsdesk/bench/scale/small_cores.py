"""Cores that are made small: how processes share out work is seen only where each of them is short of its own core.

A control group gives the processes in it so much CPU in each hundredth of a second. Both kinds of Linux's control
groups are known: `cpu.max` of the second, `cpu.cfs_quota_us` of the first.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PLACES = (Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup"))
PERIOD_US = 10_000


@contextmanager
def small_cores(pids: list[int], share: float) -> Iterator[bool]:
    """Each of these processes has this share of a core to itself in the block. Says whether that could be done."""
    groups: list[Path] = []
    try:
        try:
            for pid in pids:
                groups.append(_group(f"smsdesk-{os.getpid()}-{pid}", share))
                (groups[-1] / "cgroup.procs").write_text(str(pid))
            done = True
        except OSError:
            done = False
        yield done
    finally:
        for group in groups:
            _remove(group)


def _group(name: str, share: float) -> Path:
    for place in PLACES:
        group = place / name
        try:
            group.mkdir()
        except OSError:
            continue
        quota = str(round(share * PERIOD_US))
        with suppress(OSError):
            if (group / "cpu.max").exists():
                (group / "cpu.max").write_text(f"{quota} {PERIOD_US}")
                return group
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(quota)
            return group
        _remove(group)
    raise OSError("no control group of CPU can be made here")


def _remove(group: Path) -> None:
    with suppress(OSError):
        for pid in (group / "cgroup.procs").read_text().split():
            with suppress(OSError):
                (group.parent / "cgroup.procs").write_text(pid)
    with suppress(OSError):
        group.rmdir()
