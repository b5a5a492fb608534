"""How templates write values."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context

from smsdesk.domain.phone import written


@pass_context
def clock(context: Context, at: datetime) -> str:
    """The time of day in the reader's zone."""
    return str(context["w"].clock(at, context["zone"]))


@pass_context
def day(context: Context, at: datetime) -> str:
    """The day in the reader's zone."""
    return str(context["w"].day(at, context["zone"]))


@pass_context
def moment(context: Context, at: datetime) -> str:
    """Day and time in the reader's zone."""
    return str(context["w"].moment(at, context["zone"]))


@pass_context
def number(context: Context, value: float) -> str:
    """A number with the separators of the reader's language."""
    return str(context["w"].number(value))


@pass_context
def percent(context: Context, value: float) -> str:
    """A share of 1 as a percentage."""
    return str(context["w"].percent(value))


def phone(value: str) -> str:
    """A number of E.164 as people read it."""
    return written(value)


def iso(at: datetime) -> str:
    """A time for `datetime` attributes, which scripts read."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


FILTERS: dict[str, Callable[..., Any]] = {
    "clock": clock, "day": day, "moment": moment, "number": number, "percent": percent, "phone": phone, "iso": iso,
}  # fmt: skip
