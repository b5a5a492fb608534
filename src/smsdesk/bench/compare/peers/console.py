"""Jasmin's management console (jCli), by the words that its manual has for people."""

import socket
from collections.abc import Sequence

from smsdesk.bench.rig import BenchError

LIMIT = 10.0
USER, PASSWORD = "jcliadmin", "jclipwd"
"""What Jasmin's manual gives everybody."""
READY, MORE = b"jcli : ", b"> "


class Console:
    """A session at its port."""

    def __init__(self, port: int) -> None:
        self._line = socket.create_connection(("127.0.0.1", port), timeout=LIMIT)
        # It shows its first question only to who negotiates as telnet does, and hears the answer all the same.
        self._until(b"required.\r\r\r\n\r\r\r\n")
        self._type(USER, b"Password: ")
        self._type(PASSWORD, READY)

    def say(self, words: Sequence[str]) -> None:
        """A command with the lines that it asks for. Raises BenchError where it is refused."""
        *lines, last = words
        for line in lines:
            self._type(line, MORE)
        said = self._type(last, READY)
        if any(word in said for word in (b"Unknown", b"Failed", b"rror")):
            raise BenchError(f"Jasmin refused {words[0]!r}: {said.decode(errors='replace').strip()}")

    def close(self) -> None:
        """Ends the session."""
        self._line.close()

    def _type(self, text: str, end: bytes) -> bytes:
        self._line.sendall(text.encode() + b"\r\n")
        return self._until(end)

    def _until(self, end: bytes) -> bytes:
        said = b""
        while not said.endswith(end):
            try:
                more = self._line.recv(4096)
            except TimeoutError:
                more = b""
            if not more:
                raise BenchError(f"Jasmin's console says no {end.decode().strip()!r}: {said[-200:]!r}")
            said += more
        return said
