"""The types of carriers: a line each."""

from smsdesk.carriers import bandwidth, generic, generic_config, kannel, lab, telnyx, twilio, vonage
from smsdesk.carriers.contract import CarrierType
from smsdesk.carriers.http_line import http_carrier
from smsdesk.carriers.smpp import config as smpp
from smsdesk.carriers.smpp.carrier import SmppCarrier

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
