"""`python -m smsdesk.prove.inside NAMESPACE MODULE WORDS...`: runs a module as if on the machine of that network."""

import ctypes
import os
import runpy
import sys
from pathlib import Path

CLONE_NEWNET = 0x40000000  # sched.h


def main() -> None:
    """Enters the namespace, then becomes the module. Needs root."""
    name, module, *words = sys.argv[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    with Path(f"/run/netns/{name}").open("rb") as namespace:
        if libc.setns(namespace.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"the network namespace {name} cannot be entered")
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    main()
