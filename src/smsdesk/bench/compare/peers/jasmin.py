"""Jasmin, from PyPI, as its manual sets it up. What each setting is for: docs/compare.md."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, urlencode

from smsdesk.bench.compare.peers.broker import Broker
from smsdesk.bench.compare.peers.broker import missing as missing_servers
from smsdesk.bench.compare.peers.console import Console
from smsdesk.bench.compare.peers.peer import MESSAGE, OURS, Place
from smsdesk.bench.compare.peers.phones import phone
from smsdesk.bench.compare.peers.program import Program, free_ports, listens
from smsdesk.bench.rig import START_LIMIT, BenchError

WHERE = "SMSDESK_JASMIN"
"""Environment variable: the folder with jasmind.py, such as the bin of a virtual environment."""
DAEMONS = ("jasmind", "dlrlookupd", "dlrd")
LOCKS = [Path("/tmp") / f"{name}.lock" for name in ("jasmind", "dlrlookupd-master", "dlrd-master")]  # noqa: S108
"""Jasmin's own, at places that it does not let one choose: one Jasmin runs on a machine."""
SPECIFICATION = "import txamqp, os; print(os.path.dirname(txamqp.__file__))"
RELEASE = "import importlib.metadata; print(importlib.metadata.version('jasmin'))"
NO_RECEIPTS = ("0.11.1",)
"""Releases that raise AttributeError while they record an answer of the SMSC, and know no receipt afterwards."""

_CONFIG = """
[amqp-broker]
port = {amqp}
[redis-client]
port = {redis}
[http-api]
bind = 127.0.0.1
port = {http}
[jcli]
port = {console}
[router]
bind = 127.0.0.1
port = {router}
[client-management]
bind = 127.0.0.1
port = {manager}
[smpp-server]
bind = 127.0.0.1
port = {smpps}
[smpp-server-pb]
bind = 127.0.0.1
port = {smpps_pb}
[smpp-server-pb-client]
port = {smpps_pb}
"""
_SETUP = (
    ("smppccm -a", "cid lab", "host 127.0.0.1", "port {smpp}", "username jasmin", "password hush",
     "submit_throughput 0", "ok"),
    ("smppccm -1 lab",),
    ("mtrouter -a", "type defaultroute", "connector smppc(lab)", "rate 0.00", "ok"),
    ("group -a", "gid bench", "ok"),
    ("user -a", "username bench", "password bench", "gid bench", "uid bench", "ok"),
    ("persist",),
)  # fmt: skip


class Jasmin:
    """Jasmin with RabbitMQ and Redis."""

    name = "Jasmin"
    most_texts = 100
    quiet = 45.0
    """A text that it takes from RabbitMQ before its line is bound waits for 30 seconds, and all others behind it
    (`submit_retrial_delay_smppc_not_ready`)."""
    chunked = True

    def version(self) -> str:
        """Of the installed distribution."""
        return _ask_python(RELEASE)

    def start(self, place: Place) -> "JasminRunning":
        """Starts the servers and the daemons, and sets up a user and a route to the lab."""
        return JasminRunning(place)


def missing() -> list[str]:
    """What has to be installed first."""
    if _program("jasmind") is None:
        return [f"jasmin from PyPI (on the PATH, or in the folder that {WHERE} names)", *missing_servers()]
    if (release := _ask_python(RELEASE)) in NO_RECEIPTS:
        return [f"another release of jasmin than {release}, which loses receipts: jasmin==0.11.0", *missing_servers()]
    return missing_servers()


def _program(name: str) -> Path | None:
    found = shutil.which(f"{name}.py", path=os.environ.get(WHERE) or os.environ.get("PATH"))
    return Path(found) if found else None


def _ask_python(code: str) -> str:
    """What a line of Python says in Jasmin's own environment."""
    program = _program("jasmind")
    python = program.with_name("python3") if program else None
    words = [str(python) if python and python.exists() else "python3", "-c", code]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()


class JasminRunning:
    """jasmind, which accepts and sends; dlrlookupd and dlrd, which bring receipts to the user; the servers."""

    def __init__(self, place: Place) -> None:
        if any(lock.exists() for lock in LOCKS):
            raise BenchError(f"another Jasmin runs here, or died: {', '.join(map(str, LOCKS))} must not be there")
        self._folder = place.folder
        for name in ("resource", "store", "log"):
            (self._folder / name).mkdir()
        self._broker = Broker(self._folder, place.ends)
        place.ends.callback(self._stop)
        self.port, self._console_port, *others = free_ports(6)
        names = ("router", "manager", "smpps", "smpps_pb")
        self._config = self._folder / "jasmin.cfg"
        self._config.write_text(
            _CONFIG.format(
                amqp=self._broker.amqp_port, redis=self._broker.redis_port, http=self.port,
                console=self._console_port, **dict(zip(names, others, strict=True)),
            )
        )  # fmt: skip
        # The wheel lacks the protocol's description that Jasmin's own packages bring; txAMQP3 has the same.
        specs = Path(_ask_python(SPECIFICATION)) / "specs/standard/amqp0-9-1.stripped.xml"
        shutil.copy(specs, self._folder / "resource/amqp0-9-1.xml")
        self._daemons: dict[str, Program] = {}
        self._start_daemons(DAEMONS)
        console = Console(self._console_port)
        for command in _SETUP:
            console.say([word.format(smpp=place.lab.smpp_port) for word in command])
        console.close()
        self._lab = place.lab
        self._daemons["jasmind"].wait_until(lambda: self._lab.stats().bound > 0, START_LIMIT)
        asked = {
            "username": "bench", "password": "bench", "from": OURS, "content": MESSAGE, "dlr": "yes",
            "dlr-level": "2", "dlr-method": "POST", "dlr-url": f"http://127.0.0.1:{place.reports_port}/",
        }  # fmt: skip
        self._head = f"GET /send?{urlencode(asked)}&to=".encode()

    def request(self, n: int) -> bytes:
        """A request of the HTTP API."""
        return b"%b%b HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % (self._head, quote(phone(n), safe="").encode())

    def roots(self) -> dict[str, int]:
        """Three daemons and two servers."""
        servers = {"RabbitMQ": self._broker.rabbitmq.pid, "Redis": self._broker.redis.pid}
        return {name: daemon.pid for name, daemon in self._daemons.items()} | servers

    def hold(self) -> None:
        """Its connector stops: without a line it would take each text from RabbitMQ and put it back 30 s later."""
        self._command("smppccm -0 lab")

    def release(self) -> None:
        """Its connector starts."""
        self._command("smppccm -1 lab")

    def kill(self) -> None:
        """jasmind accepts; what it accepted lies in RabbitMQ."""
        self._daemons.pop("jasmind").kill()

    def restart(self) -> None:
        """Its lock goes first, as in the entrypoint of its Docker image; it loads what was persisted."""
        LOCKS[0].unlink(missing_ok=True)
        self._start_daemons(("jasmind",))
        self._daemons["jasmind"].wait_until(lambda: self._lab.stats().bound > 0, START_LIMIT)

    def held(self, numbers: Sequence[str]) -> int:
        """It has no list of texts whose fate is unknown."""
        return 0

    def _command(self, command: str) -> None:
        console = Console(self._console_port)
        console.say([command])
        console.close()

    def _start_daemons(self, names: Sequence[str]) -> None:
        environ = {
            "CONFIG_PATH": str(self._folder), "LOG_PATH": str(self._folder / "log"),
            "STORE_PATH": str(self._folder / "store"), "RESOURCE_PATH": str(self._folder / "resource"),
        }  # fmt: skip
        for name in names:
            profile = ["-u", "jcliadmin", "-p", "jclipwd"] if name == "jasmind" else []
            words = [*_run_by(_program(name)), "-c", str(self._config), *profile]
            self._daemons[name] = Program(name, words, self._folder, environ)
            if name == "jasmind":
                self._daemons[name].wait_until(self._listens, START_LIMIT)

    def _listens(self) -> bool:
        return listens(self.port) and listens(self._console_port)

    def _stop(self) -> None:
        for daemon in reversed(self._daemons.values()):
            daemon.stop()
        for lock in LOCKS:
            lock.unlink(missing_ok=True)


def _run_by(program: Path | None) -> list[str]:
    if program is None:
        raise BenchError("Jasmin lacks one of its daemons")
    return [str(program)]
