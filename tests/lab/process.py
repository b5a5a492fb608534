"""The lab as a process of its own, for tests that are not asynchronous."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType

_START_SECONDS = 30.0


class LabProcess:
    """`python -m smsdesk.lab` on free ports; the SMPP and HTTP ports are known once entered."""

    def __init__(self, *options: str) -> None:
        self._options = options
        self._folder = tempfile.TemporaryDirectory()
        self.smpp_port = self.http_port = 0

    def __enter__(self) -> "LabProcess":
        ready = Path(self._folder.name) / "ready.json"
        command: list[str | Path] = [
            sys.executable,
            "-m",
            "smsdesk.lab",
            "--smpp-port",
            "0",
            "--http-port",
            "0",
            "--ready-file",
            ready,
        ]
        self.process = subprocess.Popen([*command, *self._options], stderr=subprocess.PIPE, env=os.environ)
        assert self.process.stderr is not None
        # Its one line on standard error comes after the file.
        line = self.process.stderr.readline()
        assert line.startswith(b"SMPP 3.4 on "), line
        ports = json.loads(ready.read_bytes())
        self.smpp_port, self.http_port = ports["smpp_port"], ports["http_port"]
        return self

    def line(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.smpp_port), timeout=_START_SECONDS)

    def stop(self) -> tuple[int, bytes]:
        """Asks it to end; gives its exit code and the rest of its standard error."""
        self.process.terminate()
        _, errors = self.process.communicate(timeout=_START_SECONDS)
        return self.process.returncode, errors

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.stop()
        self._folder.cleanup()
