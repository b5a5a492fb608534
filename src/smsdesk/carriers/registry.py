"""The types of carriers: a line each."""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec import Struct

from smsdesk.carriers import lab
from smsdesk.carriers.contract import Carrier
from smsdesk.carriers.smpp import config as smpp
from smsdesk.carriers.smpp.carrier import SmppCarrier


@dataclass(frozen=True, slots=True)
class CarrierType:
    """A kind of line: what a person sets for it, and what makes one of it."""

    Config: type[Struct]
    make: Callable[..., Carrier]
    """Called with (tenant_id, name, config, clock=seconds, random=0..1, log=); raises ValueError for a bad setting."""


CARRIERS: dict[str, CarrierType] = {
    "smpp": CarrierType(smpp.Config, SmppCarrier),
    "lab": CarrierType(lab.Config, lab.lab_carrier),
}
