"""The types of CRMs: a line each."""

from smsdesk.crm import generic, zendesk
from smsdesk.crm.contract import CrmType

CRMS: dict[str, CrmType] = {
    "generic": CrmType(generic.Config, generic.Generic),
    "zendesk": CrmType(zendesk.Config, zendesk.Zendesk),
}
