"""A line to the lab, our carrier simulator: SMPP like any other, with an address that need not be given."""

import os
from typing import Annotated, Any

from msgspec import Meta, Struct

from smsdesk.carriers.smpp import config as smpp
from smsdesk.carriers.smpp.carrier import SmppCarrier

DEFAULT_ADDRESS = "127.0.0.1:2775"


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of a line to the lab. Without an address it is SMSDESK_LAB (`host:port`), else this machine's. What
    has the name of a setting of SMPP is that."""

    host: str | None = None
    port: smpp.Port | None = None
    system_id: Annotated[str, Meta(min_length=1)] | None = None
    """None: one for each tenant, for the lab gives replies and receipts to any line of the system that sent."""
    password: str = ""
    bind: smpp.Bind = "transceiver"
    lines: Annotated[int, Meta(ge=1, le=20)] = 1
    window: Annotated[int, Meta(ge=1, le=10_000)] = 200
    segments_per_second: Annotated[int, Meta(ge=0, le=100_000)] = 0
    response_timeout: smpp.Seconds = 10.0
    long_texts: smpp.LongTexts = "udh8"
    throttle_first: smpp.Seconds = 1.0
    throttle_longest: smpp.Seconds = 30.0
    reconnect_longest: smpp.Seconds = 2.0


def lab_carrier(tenant_id: int, name: str, config: Config, **around: Any) -> SmppCarrier:
    """A line to the lab; `around` is that of an `SmppCarrier`. Raises ValueError where SMSDESK_LAB is no address."""
    host, _, port = os.environ.get("SMSDESK_LAB", DEFAULT_ADDRESS).rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError("SMSDESK_LAB is not an address: write it as host:port, such as 127.0.0.1:2775")
    line = smpp.Config(
        host=config.host or host,
        port=config.port or int(port),
        system_id=config.system_id or f"smsdesk-{tenant_id}",
        password=config.password,
        bind=config.bind,
        lines=config.lines,
        window=config.window,
        segments_per_second=config.segments_per_second,
        response_timeout=config.response_timeout,
        long_texts=config.long_texts,
        throttle_first=config.throttle_first,
        throttle_longest=config.throttle_longest,
        reconnect_longest=config.reconnect_longest,
    )
    return SmppCarrier(tenant_id, name, line, **around)
