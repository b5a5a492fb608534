"""Debian's Kannel as a peer: bearerbox and smsbox as real processes, driven by sendsms, its reports by HTTP."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import httpx

from tests.kit.processes import free_port
from tests.peers.esmes import Got, Listener, Outcome, soon

_CONFIG = """
group = core
admin-port = {admin}
admin-password = test
box-allow-ip = "127.0.0.1"
smsbox-port = {box}
log-file = "{folder}/bearerbox.log"
log-level = 0
sms-resend-freq = 1
sms-combine-concatenated-mo-timeout = 5

group = smsc
smsc = smpp
smsc-id = whole
preferred-smsc-id = whole
host = 127.0.0.1
port = {smpp}
transceiver-mode = true
smsc-username = kannel
smsc-password = hush
system-type = ""
enquire-link-interval = 1
reconnect-delay = 1

group = smsc
smsc = smpp
smsc-id = pair
preferred-smsc-id = pair
host = 127.0.0.1
port = {smpp}
smsc-username = pair
smsc-password = hush
system-type = ""
enquire-link-interval = 1
reconnect-delay = 1

group = smsc
smsc = smpp
smsc-id = pair
host = 127.0.0.1
receive-port = {smpp}
smsc-username = pair
smsc-password = hush
system-type = ""
enquire-link-interval = 1
reconnect-delay = 1

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {box}
sendsms-port = {sendsms}
sendsms-interface = "127.0.0.1"
log-file = "{folder}/smsbox.log"
log-level = 0

group = sendsms-user
username = test
password = test
max-messages = 10
concatenation = true

group = sms-service
keyword = default
catch-all = true
max-messages = 0
get-url = "http://127.0.0.1:{reports}/text?from=%p&to=%P&octets=%b&coding=%c&charset=%C"
"""
_DELIVERED, _FAILED, _REFUSED = 1, 2, 16
"""Bits of a report's type (Kannel's user guide, `dlr-mask`); an expired text has another one beside `_FAILED`."""
_CODINGS = {"gsm7": 0, "ucs2": 2}
_ALL_REPORTS = 1 | 2 | 16
_START_SECONDS = 15.0


def installed() -> bool:
    """Whether both of Kannel's boxes are on this machine."""
    return all(_box(name) for name in ("bearerbox", "smsbox"))


def _box(name: str) -> str | None:
    return shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")


class Kannel:
    """A running Kannel with two ways to the lab: `whole`, a transceiver, and `pair`, a transmitter and a receiver."""

    name = "Kannel"

    def __init__(self, sendsms: int, listener: Listener, log: Path) -> None:
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{sendsms}", timeout=10.0)
        self._listener = listener
        self._log = log

    def send(self, body: str, to: str, source: str, *, line: str = "whole", kind: str = "") -> str:
        """Submits a text by sendsms; gives a tag for its outcome."""
        tag = f"{len(self._listener.tags)}"
        self._listener.tags.append(tag)
        asked = {
            "username": "test",
            "password": "test",
            "from": source,
            "to": to,
            "smsc": line,
            "dlr-mask": str(_ALL_REPORTS),
            "dlr-url": f"http://127.0.0.1:{self._listener.port}/report?tag={tag}&type=%d&answer=%A",
        }
        if kind == "binary":
            text = f"coding=1&text={quote(bytes.fromhex(body))}"
        else:
            text = urlencode({"charset": "UTF-8", "coding": _CODINGS.get(kind, 0), "text": body})
        flash = "&mclass=0" if kind == "flash" else ""
        answer = self._http.get(f"/cgi-bin/sendsms?{urlencode(asked)}&{text}{flash}")
        assert answer.status_code == 202, answer.text
        return tag

    def outcomes(self, tag: str) -> list[Outcome]:
        """What Kannel reported on a text so far."""
        return [
            Outcome(_kind(int(report["type"])), report.get("answer", ""))
            for report in self._listener.of("/report")
            if report["tag"] == tag
        ]

    def texts(self) -> list[Got]:
        """The texts from phones that it handed over, in order."""
        return [_got(fields) for fields in self._listener.of("/text")]

    def refused_binds(self) -> int:
        """How often the bearerbox wrote that it may not bind."""
        return self._log.read_text("utf-8", "replace").count("code 0x0000000d")

    def close(self) -> None:
        """Ends the test's side."""
        self._http.close()


def _kind(bits: int) -> str:
    for bit, kind in ((_DELIVERED, "delivered"), (_FAILED, "undelivered"), (_REFUSED, "refused")):
        if bits & bit:
            return kind
    raise AssertionError(f"a report of type {bits} was not asked for")


def _got(fields: dict[str, str]) -> Got:
    octets = fields.get("octets", "").encode("latin-1")
    if fields["coding"] == "1":
        return Got(fields["from"], fields["to"], octets.hex(" "))
    return Got(fields["from"], fields["to"], octets.decode(fields["charset"]))


@contextlib.contextmanager
def running(folder: Path, smpp_port: int, listener: Listener) -> Iterator[Kannel]:
    """Kannel's two boxes, bound to the lab and ended afterwards."""
    admin, box, sendsms = (free_port() for _ in range(3))
    config = folder / "kannel.conf"
    config.write_text(
        _CONFIG.format(
            admin=admin, box=box, sendsms=sendsms, smpp=smpp_port, reports=listener.port, folder=quote(str(folder))
        )
    )
    with contextlib.ExitStack() as stack:
        for name in ("bearerbox", "smsbox"):
            stack.enter_context(_process([str(_box(name)), str(config)], folder))
            soon(lambda: _status(admin), f"{name} listens", _START_SECONDS)
        kannel = Kannel(sendsms, listener, folder / "bearerbox.log")
        stack.callback(kannel.close)
        soon(lambda: "smsbox:" in _status(admin), "smsbox has found bearerbox", _START_SECONDS)
        yield kannel


def _status(admin: int) -> str:
    try:
        return httpx.get(f"http://127.0.0.1:{admin}/status.txt", params={"password": "test"}).text
    except httpx.TransportError:
        return ""


@contextlib.contextmanager
def _process(command: list[str], folder: Path) -> Iterator[None]:
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
