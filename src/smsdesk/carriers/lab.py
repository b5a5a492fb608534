"""A line to the lab, our carrier simulator: SMPP like any other, with an address that need not be given."""

import os
import time
from collections.abc import Callable
from typing import Annotated

from msgspec import Meta, Struct
from structlog.typing import FilteringBoundLogger

from smsdesk.carriers.smpp import config as smpp
from smsdesk.carriers.smpp.carrier import SmppCarrier

DEFAULT_ADDRESS = "127.0.0.1:2775"


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of a line to the lab. Without an address it is SMSDESK_LAB (`host:port`), else this machine's."""

    host: str | None = None
    port: Annotated[int, Meta(ge=1, le=65535)] | None = None
    system_id: Annotated[str, Meta(min_length=1)] | None = None
    """None: one for each tenant, for the lab gives replies and receipts to any line of the system that sent."""
    password: str = ""
    window: Annotated[int, Meta(ge=1, le=10_000)] = 200


def lab_carrier(
    tenant_id: int,
    name: str,
    config: Config,
    *,
    clock: Callable[[], float] = time.monotonic,
    random: Callable[[], float],
    log: FilteringBoundLogger,
) -> SmppCarrier:
    """A line to the lab. Raises ValueError where SMSDESK_LAB is no address."""
    host, _, port = os.environ.get("SMSDESK_LAB", DEFAULT_ADDRESS).rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError("SMSDESK_LAB is not an address: write it as host:port, such as 127.0.0.1:2775")
    line = smpp.Config(
        host=config.host or host,
        port=config.port or int(port),
        system_id=config.system_id or f"smsdesk-{tenant_id}",
        password=config.password,
        window=config.window,
        reconnect_longest=2.0,
    )
    return SmppCarrier(tenant_id, name, line, clock=clock, random=random, log=log)
