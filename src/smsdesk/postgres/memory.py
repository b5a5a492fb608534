"""How much memory the server may keep pages in."""

import os
from pathlib import Path

LEAST, MOST = 128 << 20, 16 << 30
CONTROL_GROUPS = Path("/sys/fs/cgroup")


def page_memory(limit: int) -> int:
    """Bytes for `shared_buffers` of so many bytes that are there in all: a quarter, as PostgreSQL's manual advises
    (section 19.4.1). It is taken page by page as the database grows, so a small one does not notice."""
    return min(max(limit // 4, LEAST), MOST)


def memory_limit(groups: Path = CONTROL_GROUPS) -> int:
    """Bytes that this machine has, or less where a control group, as that of a container, allows less (cgroups(7))."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            limits.append(int((groups / name).read_text()))
        except (OSError, ValueError):  # no such group, or "max"
            continue
    return min(limits)
