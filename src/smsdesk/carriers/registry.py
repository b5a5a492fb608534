"""The types of carriers: a line each."""

from collections.abc import Mapping
from typing import Any

import msgspec

from smsdesk.carriers import bandwidth, generic, generic_config, kannel, lab, telnyx, twilio, vonage
from smsdesk.carriers.contract import CarrierType
from smsdesk.carriers.http_line import http_carrier
from smsdesk.carriers.smpp import config as smpp
from smsdesk.carriers.smpp.carrier import SmppCarrier
from smsdesk.setup.secrets import is_secret


def most_media(kind: str, config: Mapping[str, Any]) -> int:
    """How many files go with a text over a line that is set up like this. Its secrets may still be references: none is
    looked up."""
    known = CARRIERS.get(kind)
    if known is None:
        return 0
    try:
        plain = {name: "" if is_secret(name) and isinstance(one, Mapping) else one for name, one in config.items()}
        return known.most_media(msgspec.convert(plain, known.Config))
    except (msgspec.ValidationError, ValueError):
        return 0


CARRIERS: dict[str, CarrierType] = {
    "smpp": CarrierType(smpp.Config, SmppCarrier),
    "lab": CarrierType(lab.Config, lab.lab_carrier),
    "twilio": http_carrier(twilio.Config, twilio.Twilio),
    "vonage": http_carrier(vonage.Config, vonage.Vonage),
    "telnyx": http_carrier(telnyx.Config, telnyx.Telnyx),
    "bandwidth": http_carrier(bandwidth.Config, bandwidth.Bandwidth),
    "kannel": http_carrier(kannel.Config, kannel.Kannel),
    "generic": http_carrier(generic_config.Config, generic.Generic),
}
