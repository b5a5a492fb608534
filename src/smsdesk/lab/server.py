"""A whole lab in one process: the SMPP port, the HTTP port, and the timers."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from time import time

import msgspec
import uvicorn

from smsdesk.lab.app import build_app
from smsdesk.lab.certificate import make_certificate
from smsdesk.lab.config import LabConfig
from smsdesk.lab.network import Network
from smsdesk.lab.smsc import Smsc
from smsdesk.lab.vendors.desk import Vendors
from smsdesk.lab.vendors.wire import LabProtocol

_LOOKS_IN_A_TIMEOUT = 4
_LOOK_AT_LEAST_EVERY = 1.0
_GOODBYE_SECONDS = 1


class _HttpServer(uvicorn.Server):
    """Leaves the process's signals to whoever started the lab."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Lab:
    """One simulated carrier. `clock` gives seconds since 1970, `random` is the chance of the faults."""

    def __init__(self, config: LabConfig, clock: Callable[[], float], random: Random) -> None:
        self.config = config
        self.smpp_port = 0
        """Known after `start`, like the others."""
        self.smpp_tls_port: int | None = None
        self.http_port = 0
        self._clock = clock
        self._random = random
        self._smsc: Smsc | None = None
        self._vendors: Vendors | None = None
        self._smpp: list[asyncio.Server] = []
        self._http: _HttpServer | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Listens on all ports. OSError when one of them cannot be had; ValueError for vendor accounts that make no
        sense; then nothing listens."""
        network = Network(self.config.keep_texts, self._clock, self._random)
        network.set_faults(self.config.faults)
        network.set_profile(self.config.profile)
        smsc = Smsc(self.config, network)
        vendors = Vendors(network, self.config, self._clock)
        http_socket = _listen(self.config.host, self.config.http_port)
        try:
            certificate = await self._listen_smpp(smsc)
        except OSError:
            http_socket.close()
            for server in self._smpp:
                server.close()
            await vendors.close()
            raise
        app = build_app(smsc, vendors, certificate)
        self._smsc, self._vendors = smsc, vendors
        self._http = _HttpServer(
            uvicorn.Config(
                app,
                http=LabProtocol,
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=_GOODBYE_SECONDS,
            )
        )
        self._tasks = [
            asyncio.create_task(self._http.serve([http_socket])),
            asyncio.create_task(self._keep_timers(smsc)),
        ]
        self.http_port = http_socket.getsockname()[1]

    async def _listen_smpp(self, smsc: Smsc) -> str:
        """Opens the SMPP ports; gives the certificate of the TLS port, empty without one."""
        loop, config = asyncio.get_running_loop(), self.config
        plain = await loop.create_server(smsc.new_line, config.host, config.smpp_port)
        self._smpp = [plain]
        self.smpp_port = plain.sockets[0].getsockname()[1]
        if config.smpp_tls_port is None:
            return ""
        certificate = make_certificate(config.host, self._clock())
        context = certificate.server_context()
        secure = await loop.create_server(smsc.new_line, config.host, config.smpp_tls_port, ssl=context)
        self._smpp.append(secure)
        self.smpp_tls_port = secure.sockets[0].getsockname()[1]
        return certificate.pem.decode()

    async def _keep_timers(self, smsc: Smsc) -> None:
        pause = min(
            _LOOK_AT_LEAST_EVERY,
            self.config.deliver_timeout / _LOOKS_IN_A_TIMEOUT,
            self.config.enquire_link_interval / _LOOKS_IN_A_TIMEOUT,
            self.config.session_init_timeout / _LOOKS_IN_A_TIMEOUT,
        )
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(pause)
            smsc.delivery.look(loop.time())

    async def stop(self) -> None:
        """Unbinds and closes all lines, ends the live streams, frees both ports. Does nothing when not started."""
        if self._smsc is None or self._vendors is None or self._http is None:
            return
        await self._vendors.close()
        for server in self._smpp:
            server.close()
        for line in list(self._smsc.delivery.lines.values()):
            line.unbind()
        self._smsc.network.feed.close()
        self._http.should_exit = True
        http, timers = self._tasks
        timers.cancel()
        await http
        with contextlib.suppress(asyncio.CancelledError):
            await timers
        for server in self._smpp:
            await server.wait_closed()
        self._smsc = None


def _listen(host: str, port: int) -> socket.socket:
    """A bound socket, so that the port is known, and known to be ours, before the server runs."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=1024)
    # Parts of an answer leave at once, see `listen_at` in wiring.py.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


async def run_lab(
    config: LabConfig, ready_file: Path | None = None, ready: Callable[[Lab], None] | None = None
) -> None:
    """Runs a lab with the machine's clock until cancelled. When it listens it writes its ports to `ready_file` as
    `{"smpp_port": ..., "smpp_tls_port": ..., "http_port": ...}`, whole or not at all, and calls `ready`. OSError when
    a port is taken."""
    lab = Lab(config, time, Random(config.seed))  # noqa: S311 - chance for faults, not for secrets
    await lab.start()
    try:
        if ready_file is not None:
            _write_ready(ready_file, lab)
        if ready is not None:
            ready(lab)
        await asyncio.Event().wait()
    finally:
        await lab.stop()


def _write_ready(path: Path, lab: Lab) -> None:
    partial = path.with_name(path.name + ".part")
    ports = {"smpp_port": lab.smpp_port, "smpp_tls_port": lab.smpp_tls_port, "http_port": lab.http_port}
    partial.write_bytes(msgspec.json.encode(ports))
    partial.replace(path)
