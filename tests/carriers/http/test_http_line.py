"""The line that all HTTP vendors share: order, limits, validity, the end of a line, TLS, and look-ups."""

import math
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from smsdesk.carriers import http_line
from smsdesk.carriers.contract import Accepted, Doubt, Doubtful, OutboundText, Refused, Unknown, Unsent
from smsdesk.carriers.http import HttpAnswer
from smsdesk.carriers.http_wire import LARGEST_ANSWER, retry_after
from tests.carriers.http.kit import HANG, NOW, RESET, Answer, Line, line, outbound, settings, vendor_server
from tests.kit.processes import until

KIND = "twilio"
TAKEN = Answer(201, {"sid": "SM1"})
ACCEPTED = Accepted(("SM1",))


async def test_two_texts_between_the_same_numbers_go_one_after_the_other() -> None:
    async with vendor_server(HANG, TAKEN) as vendor, line(KIND, vendor.base_url) as running:
        running.carrier.send([outbound(1, "one"), outbound(2, "two"), outbound(3, "three", destination="+14155550101")])
        await vendor.until_asked(2)
        assert [asked.form["Body"] for asked in vendor.asked] == ["one", "three"]
        assert await running.ledger.outcome_of(3) == ACCEPTED
        assert running.carrier.room() == 18
        vendor.release.set()
        assert await running.ledger.outcome_of(2) == ACCEPTED


async def test_what_waits_behind_a_text_that_has_to_go_again_goes_back_with_it() -> None:
    answer = Answer(400, {"code": 21611})
    async with vendor_server(answer) as vendor, line(KIND, vendor.base_url) as running:
        running.carrier.send([outbound(1), outbound(2)])
        assert await running.ledger.outcome_of(1) == Refused("queue_full", "21611", 60.0)
        assert isinstance(await running.ledger.outcome_of(2), Unsent)
        assert running.carrier.room() == 20, "one number's full queue is not the whole line's"


async def test_a_rest_gives_back_what_waits_and_texts_on_the_wire_keep_their_answer() -> None:
    answers = [HANG, Answer(429, {"code": 20429}), TAKEN]
    async with vendor_server(*answers) as vendor, line(KIND, vendor.base_url, throttle_longest=5) as running:
        running.carrier.send([outbound(1)])
        await vendor.until_asked(1)
        running.carrier.send([outbound(2), outbound(3, destination="+14155550101")])
        assert isinstance(await running.ledger.outcome_of(3), Refused)
        assert await running.ledger.outcome_of(2) == Unsent("the line rests: 20429")
        assert 1 not in dict(running.ledger.outcomes)


async def test_a_late_word_makes_a_rest_no_shorter() -> None:
    answers = [HANG, Answer(429, "", {"Retry-After": "3600"}), Answer(429, "")]
    more = {"throttle_first": 1e-6, "throttle_longest": 5.0}
    async with vendor_server(*answers) as vendor, line(KIND, vendor.base_url, **more) as running:
        running.carrier.send([outbound(1)])
        await vendor.until_asked(1)
        running.carrier.send([outbound(2, destination="+14155550101")])
        assert isinstance(await running.ledger.outcome_of(2), Refused)
        vendor.release.set()
        outcome = await running.ledger.outcome_of(1)
        assert isinstance(outcome, Refused)
        assert outcome.retry_after
        assert outcome.retry_after > 4


async def test_more_than_there_is_room_for_is_unsent() -> None:
    async with vendor_server(HANG) as vendor, line(KIND, vendor.base_url, window=2) as running:
        running.carrier.send([outbound(n, destination=f"+1415555010{n}") for n in (1, 2, 3)])
        assert await running.ledger.outcome_of(3) == Unsent("the window of the line is full")
        await vendor.until_asked(2)
        assert running.carrier.room() == 0


class Turnstile:
    """Limits that let one segment go for each token."""

    def __init__(self) -> None:
        self.tokens = 0
        self.wait = 0.001
        self.taken: list[tuple[int, int]] = []
        self.given_back: list[tuple[int, int]] = []

    def take(self, text: OutboundText, segments: int) -> float:
        if self.tokens < segments:
            return self.wait
        self.tokens -= segments
        self.taken.append((text.text_id, segments))
        return 0.0

    def answered(self, text: OutboundText, segments: int) -> None:
        self.given_back.append((text.text_id, segments))


async def test_limits_are_asked_before_and_told_after_each_text() -> None:
    pace = Turnstile()
    long = outbound(1, "x" * 161)
    other = outbound(2, destination="+14155550101")
    async with vendor_server(TAKEN) as vendor, line(KIND, vendor.base_url, pace=pace) as running:
        pace.tokens = 1
        running.carrier.send([long, outbound(3), other])
        assert await running.ledger.outcome_of(2) == ACCEPTED, "another phone need not wait behind the limit"
        assert [asked.form["To"] for asked in vendor.asked] == ["+14155550101"]
        pace.tokens = 3
        assert await running.ledger.outcome_of(1) == Accepted(("SM1", "SM1"))
        assert await running.ledger.outcome_of(3) == ACCEPTED
    assert pace.taken == pace.given_back == [(2, 1), (1, 2), (3, 1)]


async def test_what_must_not_leave_any_more_is_unsent() -> None:
    pace = Turnstile()
    pace.wait = math.inf
    async with vendor_server(TAKEN) as vendor, line(KIND, vendor.base_url, pace=pace) as running:
        running.carrier.send([outbound(1)])
        assert isinstance(await running.ledger.outcome_of(1), Unsent)
        assert vendor.asked == []


async def test_a_request_that_is_too_late_to_begin_is_unsent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_line, "_TO_WRITE", -1.0)
    async with vendor_server(TAKEN) as vendor, line(KIND, vendor.base_url) as running:
        running.carrier.send([outbound(1)])
        assert isinstance(await running.ledger.outcome_of(1), Unsent)
        assert vendor.asked == []


async def test_a_text_that_goes_back_takes_only_those_behind_it_along() -> None:
    pace = Turnstile()
    pace.tokens = 1
    other = outbound(3, destination="+14155550101")
    async with vendor_server(Answer(400, {"code": 21611})) as vendor, line(KIND, vendor.base_url, pace=pace) as running:
        running.carrier.send([outbound(1), outbound(2), other])
        assert isinstance(await running.ledger.outcome_of(2), Unsent)
        assert 3 not in dict(running.ledger.outcomes)
        await vendor.stop()
        pace.tokens = 1
        running.carrier.send([outbound(4)])
        for number in (3, 4):
            assert isinstance(await running.ledger.outcome_of(number), Unsent), "the line is down for all that waits"


async def test_limits_are_told_of_texts_that_fail() -> None:
    pace = Turnstile()
    pace.tokens = 2
    async with vendor_server(RESET) as vendor, line(KIND, vendor.base_url, pace=pace) as running:
        running.carrier.send([outbound(1)])
        assert isinstance(await running.ledger.outcome_of(1), Doubtful)
        await vendor.stop()
        running.carrier.send([outbound(2)])
        assert isinstance(await running.ledger.outcome_of(2), Unsent)
    assert pace.given_back == [(1, 1), (2, 1)]


async def test_a_text_is_never_sent_after_its_time() -> None:
    late = replace(outbound(1), valid_until=datetime.now(UTC) - timedelta(seconds=1))
    pace = Turnstile()
    soon = replace(outbound(2), valid_until=datetime.now(UTC) + timedelta(seconds=0.1))
    async with vendor_server(TAKEN) as vendor, line(KIND, vendor.base_url, pace=pace) as running:
        running.carrier.send([late, soon])
        for number in (1, 2):
            assert await running.ledger.outcome_of(number) == Refused("expired_here", "past its validity")
        assert vendor.asked == []


async def test_a_text_that_the_vendor_can_never_send_is_refused() -> None:
    async with vendor_server(TAKEN) as vendor, line(KIND, vendor.base_url) as running:
        running.carrier.send([outbound(1, "x" * 1601)])
        refusal = await running.ledger.outcome_of(1)
        assert isinstance(refusal, Refused)
        assert (refusal.reason, vendor.asked) == ("too_long", [])


async def test_a_line_that_is_closed_waits_for_answers_and_gives_the_rest_back() -> None:
    async with vendor_server(HANG, TAKEN) as vendor, line(KIND, vendor.base_url) as running:
        running.carrier.send([outbound(1), outbound(2)])
        await vendor.until_asked(1)
        running.task.cancel()
        assert await running.ledger.outcome_of(2) == Unsent("the line is being closed")
        assert (running.carrier.room(), running.carrier.up()) == (0, False)
        vendor.release.set()
        assert await running.ledger.outcome_of(1) == ACCEPTED


async def test_a_line_that_is_cut_off_reports_on_all_that_it_holds() -> None:
    async with vendor_server(HANG) as vendor, line(KIND, vendor.base_url) as running:
        running.carrier.send([outbound(1)])
        await vendor.until_asked(1)
        await running.stop()
        assert dict(running.ledger.outcomes) == {1: Doubtful("the line was closed before the answer came")}


async def test_the_first_text_after_a_lock_out_is_alone_and_ends_it() -> None:
    now = 0.0
    async with vendor_server(Answer(401, {"code": 20003}), TAKEN) as vendor:
        running = Line(KIND, settings(KIND, base_url=vendor.base_url), clock=lambda: now)
        carrier = running.carrier
        await running.ledger.until(carrier.up)
        carrier.send([outbound(1)])
        assert await running.ledger.outcome_of(1) == Refused("carrier_error", "20003", 60.0)
        assert (carrier.up(), carrier.room()) == (False, 0)
        now = 61.0
        assert (carrier.up(), carrier.room()) == (True, 1)
        assert carrier.state() == "down: the vendor takes nothing from this account (20003)"
        carrier.send([outbound(2)])
        assert await running.ledger.outcome_of(2) == ACCEPTED
        assert (carrier.state(), carrier.room()) == ("up", 20)
        await running.stop()


async def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    endless = Answer(201, b'{"sid": "SM1"}' + b" " * LARGEST_ANSWER)
    async with vendor_server(endless) as vendor, line(KIND, vendor.base_url) as running:
        running.carrier.send([outbound(1)])
        assert isinstance(await running.ledger.outcome_of(1), Doubtful)


def _self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW - timedelta(1), NOW + timedelta(3650))
    certificate = builder.sign(key, hashes.SHA256())
    plain = serialization.NoEncryption()
    octets = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "both.pem").write_bytes(octets + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    return context


async def test_a_certificate_that_nobody_vouches_for_keeps_the_line_down(tmp_path: Path) -> None:
    async with (
        vendor_server(TAKEN, tls=_self_signed(tmp_path)) as vendor,
        line(KIND, vendor.base_url, up=False) as running,
    ):

        async def said() -> bool:
            return "its certificate is not good" in running.carrier.state()

        await until(said, 5, "the line says what is wrong")
        assert (running.carrier.up(), vendor.asked) == (False, [])


async def test_a_line_that_does_not_run_looks_nothing_up() -> None:
    doubt = Doubt(outbound(), (None,), NOW)
    async with vendor_server(RESET) as vendor, line(KIND, vendor.base_url) as running:
        assert isinstance(await running.carrier.look_up(doubt), Unknown)
        vendor.answers = [Answer(200, "garbage")]
        assert isinstance(await running.carrier.look_up(doubt), Unknown)
        await running.stop()
        assert await running.carrier.look_up(doubt) == Unknown("the line is not running")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("Sun, 22 Nov 2026 12:00:30 GMT", 30.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", 0.0),
        ("", 0.0),
    ],
)
def test_retry_after_is_a_number_or_a_date(header: str, seconds: float) -> None:
    assert retry_after(HttpAnswer(429, {"retry-after": header}, b""), NOW) == seconds
