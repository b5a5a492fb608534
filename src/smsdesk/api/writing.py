"""Answers as the bytes of HTTP/1.1 (RFC 9112), for the routes that are answered below the framework."""

from collections.abc import Iterable, Sequence
from http import HTTPStatus

from smsdesk.api.http import Answer

Fields = Sequence[tuple[bytes, bytes]]

_STATUS = {each.value: f"HTTP/1.1 {each.value} {each.phrase}\r\n".encode() for each in HTTPStatus}
_JSON = b"%bcontent-type: application/json\r\ncontent-length: %d\r\n%b%b\r\n%b"
_CLOSE = b"connection: close\r\n"


class Writing:
    """Writes answers. The server's own headers are made anew each second, for the date: until then they are the same
    list, and what was made of it holds."""

    __slots__ = ("_again", "_lines", "_of")

    def __init__(self) -> None:
        self._of: Fields = ()
        self._lines = b""
        self._again: dict[Answer, bytes] = {}

    def write(self, server_fields: Fields, answer: Answer, keep_alive: bool) -> tuple[bytes, bool]:
        """The bytes of an answer, and whether it ends the connection: where the client or a header says so."""
        self._renew(server_fields)
        status, body, fields = answer
        more = _lines(fields) if fields else b""
        if not keep_alive and _CLOSE not in more:
            more += _CLOSE
        return _JSON % (_STATUS[status], len(body), self._lines, more, body), _CLOSE in more

    def write_again(self, server_fields: Fields, answer: Answer) -> bytes:
        """The bytes of one of a few answers that very many get, on connections that stay."""
        self._renew(server_fields)
        written = self._again.get(answer)
        if written is None:
            written, _ = self.write(server_fields, answer, keep_alive=True)
            self._again[answer] = written
        return written

    def _renew(self, server_fields: Fields) -> None:
        if self._of is not server_fields:
            self._of, self._lines, self._again = server_fields, _lines(server_fields), {}


def _lines(fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join([b"%b: %b\r\n" % pair for pair in fields])
