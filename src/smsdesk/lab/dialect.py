"""How an SMSC writes what the standard leaves open, or what carriers are known to write all the same."""

from typing import Literal

import msgspec

Ids = Literal["hex", "decimal", "padded"]
Alphabet = Literal["gsm7", "latin1", "ascii"]
Parts = Literal["udh8", "udh16", "sar", "payload"]


class Dialect(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The habits of one SMSC. A word in a text changes those of its receipt, for that text alone."""

    answer_ids: Ids = "hex"
    """How submit_sm_resp writes an id; `padded` is decimal with zeros in front."""
    receipt_ids: Ids = "hex"
    """How receipts write it. Carriers are known to write hexadecimal in the one and decimal in the other."""
    dates: Literal["minutes", "seconds"] = "minutes"
    """The receipt's dates: YYMMDDhhmm as the standard has it, or with seconds."""
    text_word: Literal["text", "Text"] = "text"
    """What stands before the text's beginning in a receipt."""
    receipt_as: Literal["both", "text", "tlv"] = "both"
    """A receipt is its words (SMPP 3.4 appendix B), its optional parameters (section 5.3.2), or both."""
    receipt_line: Literal["same", "other"] = "same"
    """Over which line of the system a receipt comes: the text's own, or another one if there is one."""
    interim: bool = False
    """An intermediate notification comes before each receipt, whether the ESME asked for it (registered_delivery bit
    4) or not."""
    alphabet: Alphabet = "gsm7"
    """What data_coding 0 means (section 5.2.19, note b: it is the SMSC's own)."""
    packed: bool = False
    """Texts in the GSM alphabet come and go as packed septets (3GPP TS 23.038 section 6.1.2.1)."""
    reply_parts: Parts = "udh8"
    """How the parts of a long reply say that they belong together."""


STANDARD = Dialect()
