"""Answers as bytes: what is written again and again is made anew with the server's own headers."""

import pytest

from smsdesk.api.http import Answer
from smsdesk.api.writing import Writing

AWAY: Answer = (503, b"{}", ((b"retry-after", b"2"),))
NOW, LATER = [(b"date", b"now")], [(b"date", b"later")]


def written(date: bytes, more: bytes = b"") -> bytes:
    """The answer with this date."""
    return (
        b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: 2\r\n"
        b"date: %b\r\nretry-after: 2\r\n%b\r\n{}" % (date, more)
    )


def test_an_answer_that_is_written_again_is_that_of_its_second() -> None:
    writing = Writing()
    assert [writing.write_again(each, AWAY) for each in (NOW, NOW, LATER)] == [
        written(b"now"), written(b"now"), written(b"later"),
    ]  # fmt: skip
    assert writing.write_again(LATER, (200, b"{}", ())).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(("keep_alive", "more"), [(True, b""), (False, b"connection: close\r\n")])
def test_the_last_answer_of_a_connection_says_so(keep_alive: bool, more: bytes) -> None:
    assert Writing().write(NOW, AWAY, keep_alive) == (written(b"now", more), not keep_alive)


@pytest.mark.parametrize("keep_alive", [True, False])
def test_an_answer_that_ends_the_connection_by_itself_says_so_once(keep_alive: bool) -> None:
    found, closes = Writing().write(NOW, (413, b"{}", ((b"connection", b"close"),)), keep_alive)
    assert closes
    assert found.count(b"connection: close\r\n") == 1
