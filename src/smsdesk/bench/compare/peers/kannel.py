"""Kannel, as Debian packages it and its user guide sets it up. What each setting is for: docs/compare.md."""

import re
import shutil
import subprocess
import urllib.request
from collections.abc import Sequence
from urllib.parse import quote, urlencode

from smsdesk.bench.compare.peers.peer import MESSAGE, OURS, Place
from smsdesk.bench.compare.peers.phones import phone
from smsdesk.bench.compare.peers.program import Program, free_ports, listens
from smsdesk.bench.rig import START_LIMIT

PATH = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"
WINDOW = 50
DELIVERED_FAILED_REFUSED = 1 | 2 | 16
"""Bits of `dlr-mask` (user guide, "Delivery Reports")."""

_STORE = """store-type = file
store-location = "{folder}/store"
dlr-storage = spool
dlr-spool = "{folder}/dlr"
"""
_CONFIG = """
group = core
admin-port = {admin}
admin-password = bench
box-allow-ip = "127.0.0.1"
smsbox-port = {box}
log-file = "{folder}/bearerbox.log"
log-level = 1
{store}
group = smsc
smsc = smpp
smsc-id = lab
host = 127.0.0.1
port = {smpp}
transceiver-mode = true
smsc-username = kannel
smsc-password = hush
system-type = ""
max-pending-submits = {window}
reconnect-delay = 1

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {box}
sendsms-port = {sendsms}
sendsms-interface = "127.0.0.1"
log-file = "{folder}/smsbox.log"
log-level = 1

group = sendsms-user
username = bench
password = bench
"""


class Kannel:
    """Kannel with its store on disk, or without one."""

    most_texts = 1_000_000
    quiet = 15.0
    """It connects again after `reconnect-delay`."""
    chunked = False

    def __init__(self, *, store: bool) -> None:
        self.name = "Kannel" if store else "Kannel without a store"
        self.store = store

    def version(self) -> str:
        """What bearerbox says of itself."""
        said = subprocess.run([str(_box("bearerbox")), "--version"], capture_output=True, text=True, check=False)
        found = re.search(r"version `([^']+)'", said.stdout + said.stderr)
        return found[1] if found else "of an unknown version"

    def start(self, place: Place) -> "KannelRunning":
        """Starts bearerbox and smsbox."""
        running = KannelRunning(place, store=self.store)
        place.ends.callback(running.stop)
        running.restart()
        return running


def installed() -> bool:
    """Whether both of its boxes are here."""
    return bool(_box("bearerbox") and _box("smsbox"))


def _box(name: str) -> str | None:
    return shutil.which(name, path=PATH)


class KannelRunning:
    """Its two boxes."""

    def __init__(self, place: Place, *, store: bool) -> None:
        self._lab, self._folder = place.lab, place.folder
        self._admin, box, self.port = free_ports(3)
        (self._folder / "dlr").mkdir()
        self._config = self._folder / "kannel.conf"
        self._config.write_text(
            _CONFIG.format(
                admin=self._admin, box=box, sendsms=self.port, folder=self._folder, smpp=place.lab.smpp_port,
                window=WINDOW, store=_STORE.format(folder=self._folder) if store else "",
            )
        )  # fmt: skip
        report = f"http://127.0.0.1:{place.reports_port}/?to=%p&type=%d"
        asked = {
            "username": "bench", "password": "bench", "from": OURS, "text": MESSAGE,
            "dlr-mask": str(DELIVERED_FAILED_REFUSED), "dlr-url": report,
        }  # fmt: skip
        self._head = f"GET /cgi-bin/sendsms?{urlencode(asked)}&to=".encode()
        self._boxes: list[Program] = []

    def request(self, n: int) -> bytes:
        """A sendsms request."""
        return b"%b%b HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % (self._head, quote(phone(n), safe="").encode())

    def roots(self) -> dict[str, int]:
        """Both boxes."""
        return {box.name: box.pid for box in self._boxes}

    def hold(self) -> None:
        """Without its SMSC it keeps texts in its queue; a line that was stopped by its own command refuses them."""
        self._lab.away()

    def release(self) -> None:
        """It connects again a second later."""
        self._lab.back()

    def kill(self) -> None:
        """bearerbox holds the queue, smsbox the open requests: both accept."""
        for box in self._boxes:
            box.kill()

    def restart(self) -> None:
        """bearerbox first, then smsbox (user guide, "Starting the gateway")."""
        self._boxes = []
        for name in ("bearerbox", "smsbox"):
            box = Program(name, [str(_box(name)), str(self._config)], self._folder)
            self._boxes.append(box)
            box.wait_until(lambda: bool(self._status()), START_LIMIT)
        self._boxes[1].wait_until(lambda: "smsbox:" in self._status() and listens(self.port), START_LIMIT)
        self._boxes[0].wait_until(lambda: "(online" in self._status(), START_LIMIT)

    def stop(self) -> None:
        """smsbox first."""
        for box in reversed(self._boxes):
            box.stop()

    def held(self, numbers: Sequence[str]) -> int:
        """It has no list of texts whose fate is unknown."""
        return 0

    def _status(self) -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._admin}/status.txt?password=bench", timeout=5) as said:
                return str(said.read().decode())
        except OSError:
            return ""
