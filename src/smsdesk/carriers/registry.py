"""The types of carriers: a line each."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec import Struct

from smsdesk.carriers import lab
from smsdesk.carriers.contract import Callback, CallbackRequest, Carrier
from smsdesk.carriers.smpp import config as smpp
from smsdesk.carriers.smpp.carrier import SmppCarrier


@dataclass(frozen=True, slots=True)
class CarrierType:
    """A kind of line: what a person sets for it, and what makes one of it."""

    Config: type[Struct]
    make: Callable[..., Carrier]
    """Called with (tenant_id, name, config, clock=seconds, random=0..1, log=, pace=); raises ValueError for a bad
    setting."""
    callback: Callable[[Any, CallbackRequest, datetime], Callback] | None = None
    """Reads what the carrier posts to us at a moment, given the line's Config; raises Forged or Unreadable. None: the
    carrier posts nothing."""


CARRIERS: dict[str, CarrierType] = {
    "smpp": CarrierType(smpp.Config, SmppCarrier),
    "lab": CarrierType(lab.Config, lab.lab_carrier),
}
