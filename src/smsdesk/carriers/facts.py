"""What carriers say, as the values that are written down: the same whether it came over a line or by a callback."""

from datetime import datetime

from smsdesk.carriers.contract import Receipt, Reply
from smsdesk.domain.reply import InboundPart, clean
from smsdesk.domain.text_state import PartReceipt


def part_receipt(receipt: Receipt) -> PartReceipt:
    """A receipt without what no database keeps."""
    number = clean(receipt.number) if receipt.number else None
    part_id, code = clean(receipt.part_id), clean(receipt.code)
    return PartReceipt(part_id, receipt.state, receipt.reason, code, number, receipt.reference, receipt.whole)


def inbound_part(reply: Reply, carrier_id: int, at: datetime) -> InboundPart:
    """A reply, or a part of one, that came over a carrier at a moment."""
    return InboundPart(
        carrier_id, reply.source, reply.destination, reply.body, reply.encoding, at, reply.session,
        reply.carrier_reference, reply.part, reply.payload, reply.media,
    )  # fmt: skip
