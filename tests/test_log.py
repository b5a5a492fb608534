"""What is logged, and what never is."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from smsdesk.log import set_up_log


@pytest.fixture(autouse=True)
def own_log() -> Iterator[None]:
    """What is set up here writes to this test's captured lines, and must not outlive them."""
    yield
    structlog.reset_defaults()
    logging.basicConfig(handlers=[], level=logging.WARNING, force=True)


def lines(captured: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    return [json.loads(line) for line in captured.readouterr().err.splitlines()]


def test_words_and_numbers_are_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_log("info")
    structlog.get_logger().info("sent", message_id=7, body="secret words", destination="+14155550100", token="sd_1")
    (line,) = lines(capsys)
    assert (line["event"], line["message_id"]) == ("sent", 7)
    assert [line[key] for key in ("body", "destination", "token")] == ["[hidden]"] * 3


def test_level_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_log("warning")
    structlog.get_logger().info("too little")
    structlog.get_logger().warning("enough")
    assert [line["event"] for line in lines(capsys)] == ["enough"]


def test_a_library_logs_in_our_form_and_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_log("info")
    try:
        raise ConnectionResetError("gone")
    except ConnectionResetError:
        logging.getLogger("asyncpg").exception("pool %s", "empty")
    (line,) = lines(capsys)
    assert (line["event"], line["logger"], line["error"]) == ("pool empty", "asyncpg", "ConnectionResetError: gone")
