"""What an SMSC says about a doubtful text (query_sm, SMPP 3.4 section 4.8)."""

import asyncio
from collections.abc import Awaitable, Callable

from smsdesk.carriers.contract import Doubt, Found, LookUp, Receipt, Unknown
from smsdesk.carriers.smpp.addressing import write_address
from smsdesk.carriers.smpp.config import Config, IdForm
from smsdesk.carriers.smpp.pdu import Pdu, QuerySm, QuerySmResp
from smsdesk.carriers.smpp.receipts import read_state
from smsdesk.carriers.smpp.status import describe

Ask = Callable[[QuerySm], Awaitable[Pdu | None]]
"""Sends a request and gives its answer; None where the line went down before."""


async def look_up(doubt: Doubt, config: Config, ask: Ask) -> LookUp:
    """Asks for each part by its name. Without the names of all there is nothing to ask: query_sm knows no other way to
    mean a message."""
    names = [part_id for part_id in doubt.part_ids if part_id]
    if len(names) < len(doubt.text.segments.parts):
        missing = len(doubt.text.segments.parts) - len(names)
        return Unknown(f"{missing} of the parts were never named by the carrier, and query_sm asks by name only")
    try:
        source = write_address(doubt.text.source, config.source_ton, config.source_npi)
    except ValueError as error:
        return Unknown(f"the sender is no address: {error}")
    unique = list(dict.fromkeys(names))
    questions = [QuerySm(0, 0, _write_id(name, config.response_id), *source) for name in unique]
    try:
        async with asyncio.timeout(config.response_timeout):
            answers = await asyncio.gather(*(ask(question) for question in questions))
    except TimeoutError:
        return Unknown(f"no answer to query_sm in {config.response_timeout:g} s")
    receipts = []
    for name, answer in zip(unique, answers, strict=True):
        receipt = _receipt(name, answer, doubt, config.long_texts == "payload")
        if isinstance(receipt, Unknown):
            return receipt
        receipts.append(receipt)
    return Found(doubt.part_ids, tuple(receipts))


def _receipt(name: str, answer: Pdu | None, doubt: Doubt, whole: bool) -> Receipt | Unknown:
    if answer is None:
        return Unknown("the line went down before the answer to query_sm")
    if answer.command_status or not isinstance(answer, QuerySmResp):
        return Unknown(f"query_sm was refused: {describe(answer.command_status)}")
    word, state, reason = read_state("", answer.message_state)
    code = f"query_sm stat:{word} err:{answer.error_code}"
    return Receipt(name, state, reason, code, number=doubt.text.destination, whole=whole)


def _write_id(part_id: str, form: IdForm) -> str:
    """The id as submit_sm_resp wrote it, but for zeros in front: those are not kept."""
    return f"{int(part_id):X}" if form == "hex" and part_id.isdecimal() else part_id
