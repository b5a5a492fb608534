"""JSON lines on stderr: ids, counts and durations. A text's words and people's numbers are never logged."""

import logging
import sys

import structlog

HIDDEN = frozenset({"body", "message", "text", "number", "source", "destination", "token", "password"})
"""Keys whose values are replaced, should a careless line carry them."""

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def set_up_log(level: str, *, for_people: bool = False) -> None:
    """Configures logging for this process; `for_people` writes coloured lines instead of JSON."""
    renderer = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()) if for_people else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _redact,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS.get(level, logging.INFO)),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
    logging.basicConfig(handlers=[_Forward()], level=logging.WARNING, force=True)


class _Forward(logging.Handler):
    """Takes what libraries log the standard way to our lines: an error by its name, without its trace."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        more = {"error": f"{type(error).__name__}: {error}"} if error else {}
        structlog.get_logger().log(record.levelno, record.getMessage(), logger=record.name, **more)


def _redact(
    _logger: structlog.typing.WrappedLogger, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    for key in HIDDEN & event.keys():
        event[key] = "[hidden]"
    return event
