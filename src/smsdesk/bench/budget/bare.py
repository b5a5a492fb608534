"""What the parts of a message cost by themselves: the same bytes, and nothing else done. Microseconds of CPU."""

import base64
import hashlib
import socket
import time
from collections.abc import Callable
from statistics import median

import httptools
import msgspec

from smsdesk.bench.budget.report import Bare
from smsdesk.carriers.smpp.codec import Framer, encode
from smsdesk.carriers.smpp.pdu import DeliverSm, SubmitSm, SubmitSmResp
from smsdesk.domain.phone import read_number

GROUP = 50
"""Items that share one call, one send, one commit."""
BATCHES, SHORTEST = 7, 0.01
"""Batches of each measurement, and the seconds that one takes at least."""
SENDS = 300
PHONE, OURS, TEXT = "+16285550123", "+16285550199", b"Your order is ready."


def cpu(work: Callable[[], object]) -> float:
    """What one call takes: the middle of some batches."""
    times, took = 1, 0.0
    while took < SHORTEST:
        times *= 2
        took = _batch(work, times)
    return median(_batch(work, times) / times for _ in range(BATCHES)) * 1e6


def _batch(work: Callable[[], object], times: int) -> float:
    began = time.thread_time()
    for _ in range(times):
        work()
    return time.thread_time() - began


class _Parsed:
    """What a parser calls."""

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.url = self.body = b""

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        self.body += body


def accept_steps(request: bytes, answer: bytes) -> dict[str, Bare]:
    """Of one request with its answer, by the steps of `budget_steps.ACCEPT`."""
    body, made = request.partition(b"\r\n\r\n")[2], msgspec.json.decode(answer.partition(b"\r\n\r\n")[2])
    credential = next(line[21:] for line in request.split(b"\r\n") if line.lower().startswith(b"authorization: basic "))
    return {
        "read the request": Bare(
            "httptools, the same bytes", cpu(lambda: httptools.HttpRequestParser(_Parsed()).feed_data(request))
        ),
        "who asks: token and limits": Bare(
            "base64 and sha256 of the token", cpu(lambda: hashlib.sha256(base64.b64decode(credential)).digest())
        ),
        "decode the body": Bare("msgspec, the same bytes", cpu(lambda: msgspec.json.decode(body))),
        "check the fields": Bare(
            "two cached number checks", cpu(lambda: (read_number(PHONE), read_number(OURS)))
        ),
        "make the answer": Bare("msgspec, the same object", cpu(lambda: msgspec.json.encode(made))),
        "write the answer": Bare("send of the same bytes", sending(answer)),
    }  # fmt: skip


def deliver_steps() -> dict[str, Bare]:
    """Of one text with its answer and receipt, by the steps of `budget_steps.DELIVER`."""
    submit = SubmitSm(
        7, 0, source_addr_ton=1, source_addr_npi=1, source_addr=OURS[1:], dest_addr_ton=1, dest_addr_npi=1,
        destination_addr=PHONE[1:], validity_period="000001000000000R", registered_delivery=1, short_message=TEXT,
    )  # fmt: skip
    said = b"id:0123456789 sub:001 dlvrd:001 submit date:2601010000 done date:2601010000 stat:DELIVRD err:000 text:"
    receipt = DeliverSm(7, 0, source_addr=PHONE[1:], destination_addr=OURS[1:], esm_class=4, short_message=said + TEXT)
    heard = (encode(SubmitSmResp(7, 0, message_id="0123456789")) + encode(receipt)) * GROUP
    return {
        "encode": Bare("the codec alone: a submit_sm", cpu(lambda: encode(submit))),
        "window and write": Bare(f"send of the same bytes, {GROUP} at once", sending(encode(submit) * GROUP) / GROUP),
        "read PDUs": Bare("the codec alone: an answer and a receipt", cpu(lambda: Framer().feed(heard)) / GROUP),
    }


def sending(octets: bytes) -> float:
    """One send over a TCP connection of this machine, whose other end reads between the batches."""
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.create_connection(listening.getsockname()) as ours:
        theirs, _ = listening.accept()
        ours.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        took = []
        with theirs:
            for _ in range(SENDS):
                began = time.thread_time()
                ours.sendall(octets)
                took.append(time.thread_time() - began)
                theirs.recv(len(octets), socket.MSG_WAITALL)
    return median(took) * 1e6
