"""Machines as network namespaces: each with a wire to its database and another to its clients and carriers."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Wire = Literal["back", "front"]
WIRES: tuple[Wire, ...] = ("back", "front")
RANGE = "198.18.0.0/16"
"""Addresses for measuring between networks, which nobody else uses (RFC 2544)."""


class NetworkError(Exception):
    """The kernel did not make a network; the text is what `ip` said."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A namespace and its two wires, whose other ends are here."""

    name: str
    number: int

    def here(self, wire: Wire) -> str:
        """Our address on the wire, as the machine sees us."""
        return f"198.18.{2 * self.number + WIRES.index(wire)}.1"

    def there(self, wire: Wire) -> str:
        """The machine's address on the wire."""
        return f"198.18.{2 * self.number + WIRES.index(wire)}.2"

    def cut(self, *wires: Wire) -> None:
        """Pulls the plug: nobody is told, what is on its way is lost."""
        for wire in wires:
            _ip("link", "set", self._end(wire), "down")

    def mend(self, *wires: Wire) -> None:
        """Plugs it in again."""
        for wire in wires:
            _ip("link", "set", self._end(wire), "up")

    def make(self) -> None:
        """Makes the namespace and its wires. Raises NetworkError."""
        _ip("netns", "add", self.name)
        _ip("-n", self.name, "link", "set", "lo", "up")
        for wire in WIRES:
            ours, theirs = self._end(wire), f"{wire}0"
            _ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", self.name)
            _ip("addr", "add", f"{self.here(wire)}/30", "dev", ours)
            _ip("-n", self.name, "addr", "add", f"{self.there(wire)}/30", "dev", theirs)
            _ip("-n", self.name, "link", "set", theirs, "up")
            _ip("link", "set", ours, "up")

    def remove(self) -> None:
        """Takes away what there is of it."""
        for wire in WIRES:
            _try("link", "del", self._end(wire))
        _try("netns", "del", self.name)

    def _end(self, wire: Wire) -> str:
        return f"{self.name[-12:]}{wire[0]}"  # 15 octets at most, IFNAMSIZ


def why_not() -> str | None:
    """Why no networks can be made here; None where they can."""
    if os.name != "posix" or not Path("/proc/self/ns/net").exists():
        return "network namespaces are Linux's"
    if os.geteuid() != 0:
        return "network namespaces need root"
    if _program() is None:
        return "`ip` (iproute2) is not installed"
    probe = f"smsdesk{os.getpid() % 10000}x"
    made = _try("netns", "add", probe)
    _try("netns", "del", probe)
    return None if made else "the kernel makes no network namespaces here"


@contextmanager
def machines(count: int) -> Iterator[list[Machine]]:
    """So many machines for the block. Raises NetworkError."""
    made = [Machine(f"sms{os.getpid() % 100000}n{number}", number) for number in range(count)]
    try:
        for machine in made:
            machine.make()
        yield made
    finally:
        for machine in made:
            machine.remove()


def _ip(*words: str) -> None:
    done = subprocess.run([_program() or "ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NetworkError(f"ip {' '.join(words)}: {done.stderr.strip()}")


def _try(*words: str) -> bool:
    return subprocess.run([_program() or "ip", *words], capture_output=True, check=False).returncode == 0


def _program() -> str | None:
    return shutil.which("ip", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
