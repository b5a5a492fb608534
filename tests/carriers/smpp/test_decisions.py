"""Refusals, addresses, settings and timers: tables and pure decisions."""

import msgspec
import pytest

from smsdesk.carriers.contract import Refused
from smsdesk.carriers.smpp.addressing import Address, read_address, write_address
from smsdesk.carriers.smpp.config import Config
from smsdesk.carriers.smpp.outcomes import is_throttling, read_meanings, refusal
from smsdesk.carriers.smpp.timers import Backoff, LinkTimer, Throttle
from smsdesk.carriers.smpp.validity import relative_time
from smsdesk.domain.outcome import REASONS

from .rig import config


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (0x58, Refused("queue_full", "ESME_RTHROTTLED (0x00000058)", 1.0)),
        (0x14, Refused("queue_full", "ESME_RMSGQFUL (0x00000014)", 1.0)),
        (0x08, Refused("carrier_error", "ESME_RSYSERR (0x00000008)", 60.0)),
        (0x0A, Refused("bad_sender", "ESME_RINVSRCADR (0x0000000A)")),
        (0x0B, Refused("unknown_number", "ESME_RINVDSTADR (0x0000000B)")),
        (0x45, Refused("blocked", "ESME_RSUBMITFAIL (0x00000045)")),
        (0x01, Refused("too_long", "ESME_RINVMSGLEN (0x00000001)")),
        (0x43, Refused("carrier_error", "ESME_RINVESMCLASS (0x00000043)")),
        (0xFF, Refused("unknown_error", "ESME_RUNKNOWNERR (0x000000FF)")),
        (0x400, Refused("unknown_error", "0x00000400")),
    ],
)
def test_refusals(status: int, expected: Refused) -> None:
    assert refusal(status) == expected


def test_every_refusal_has_a_sentence() -> None:
    assert {refusal(status).reason for status in range(1, 0x500)} <= set(REASONS)


def test_a_person_may_say_what_a_vendors_status_means() -> None:
    meanings = read_meanings({"0x45": "filtered", "1025": "opted_out", "0x400": "queue_full", "1026": "carrier_error"})
    assert refusal(0x45, meanings) == Refused("filtered", "ESME_RSUBMITFAIL (0x00000045)")
    assert refusal(0x401, meanings) == Refused("opted_out", "0x00000401")
    assert refusal(0x402, meanings) == Refused("carrier_error", "0x00000402", 60.0)
    assert is_throttling(refusal(0x400, meanings))
    assert refusal(0x0B, meanings) == refusal(0x0B)


@pytest.mark.parametrize(
    ("seconds", "field"),
    [
        (-3, "000000000001000R"),
        (0, "000000000001000R"),
        (59, "000000000059000R"),
        (86_399, "000000235959000R"),
        (86_400, "000001000000000R"),
        (7 * 86_400 + 3_661, "000007010101000R"),
        (10**9, "000099235959000R"),
    ],
)
def test_validity_is_rounded_down_and_never_zero(seconds: int, field: str) -> None:
    assert relative_time(seconds) == field


@pytest.mark.parametrize(
    ("number", "address"),
    [
        ("+14155550100", Address(1, 1, "14155550100")),
        ("14155550100", Address(1, 1, "14155550100")),
        ("24273", Address(3, 0, "24273")),
        ("ACME", Address(5, 0, "ACME")),
    ],
)
def test_addresses(number: str, address: Address) -> None:
    assert write_address(number) == address
    assert write_address(number, ton=2, npi=8) == (2, 8, address.digits)


@pytest.mark.parametrize("number", ["", "+", "Twelve chars", "é", "A\0B", "1" * 21])
def test_what_is_no_address(number: str) -> None:
    with pytest.raises(ValueError, match="characters"):
        write_address(number)


@pytest.mark.parametrize(
    ("ton", "digits", "number"),
    [
        (1, "14155550100", "+14155550100"),
        (0, "14155550100", "+14155550100"),
        (2, "4155550100", "4155550100"),
        (3, "24273", "24273"),
        (5, "ACME", "ACME"),
        (0, "24273", "24273"),
        (1, "+1415", "+1415"),
    ],
)
def test_addresses_are_read(ton: int, digits: str, number: str) -> None:
    assert read_address(ton, digits) == number


def test_silence_is_tested_once_and_then_ends_the_line() -> None:
    timer = LinkTimer(enquire_link=30, response_timeout=10, now=0)
    assert [timer.check(now) for now in (29, 30, 31, 39)] == ["quiet", "enquire", "quiet", "quiet"]
    timer.heard(39.5)
    assert [timer.check(now) for now in (41, 69, 69.5, 79, 79.5)] == ["quiet", "quiet", "enquire", "quiet", "dead"]


def test_pauses_double_to_their_limit_and_start_over() -> None:
    backoff = Backoff(0.2, 30, random=lambda: 1.0)
    assert [backoff.pause() for _ in range(9)] == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30])
    backoff.reset()
    assert backoff.pause() == 0.2
    assert Backoff(0.2, 30, random=lambda: 0.0).pause() == 0.1


def test_a_rest_grows_with_each_throttle_and_fades() -> None:
    throttle = Throttle(first=1, longest=4)
    assert throttle.hit(100)
    assert not throttle.hit(100.5)
    assert throttle.remaining(100.5) == 0.5
    lengths, now = [], 101.0
    for _ in range(3):
        assert throttle.hit(now)
        lengths.append(throttle.remaining(now))
        now += lengths[-1]
    assert lengths == [2, 4, 4]
    assert throttle.remaining(now) == 0
    assert throttle.hit(now + 2 * Throttle.HALF_LIFE)
    assert throttle.remaining(now + 2 * Throttle.HALF_LIFE) == 2
    assert throttle.hit(1e12)
    assert throttle.remaining(1e12) == 1


def test_a_carrier_that_takes_some_and_refuses_the_rest_is_not_left_alone_longer() -> None:
    throttle = Throttle(first=1, longest=30)
    for now in range(100, 110):
        assert throttle.hit(now)
        assert throttle.remaining(now) == 1
        throttle.took()


def test_settings_hide_the_passwords() -> None:
    settings = config(2775, outbind_port=2776, outbind_system_id="smsc", outbind_password="whisper")
    assert "acme" in repr(settings)
    assert "hush" not in repr(settings)
    assert "whisper" not in repr(settings)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"gsm7_packed": True, "default_alphabet": "latin1"}, "gsm7_packed needs default_alphabet: gsm"),
        ({"tls": True, "tls_key_file": "key.pem"}, "need each other"),
        ({"tls_ca_file": "ca.pem"}, "do nothing without tls: true"),
        ({"tls_server_name": "smsc.example.com"}, "do nothing without tls: true"),
        ({"outbind_port": 2776}, "needs outbind_system_id and outbind_password"),
        (
            {"outbind_port": 2776, "outbind_system_id": "s", "outbind_password": "p", "tls": True},
            "an outbind comes without TLS",
        ),
        ({"receipt_errors": {"012": "lost"}}, "'lost' is no reason: use one of opted_out"),
        ({"status_reasons": {"0x45": "blokked"}}, "'blokked' is no reason"),
        ({"status_reasons": {"many": "blocked"}}, "'many' is no command_status"),
        ({"status_reasons": {"0": "blocked"}}, "'0' is no command_status"),
        ({"lines": 0}, "lines"),
        ({"lines": 21}, "lines"),
        ({"window": 0}, "window"),
        ({"validity_period": "x"}, "validity_period"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, object], problem: str) -> None:
    given = {"host": "smsc.example.com", "system_id": "acme", "password": "hush", **settings}
    with pytest.raises(msgspec.ValidationError, match=problem) as caught:
        msgspec.convert(given, Config)
    assert "hush" not in str(caught.value)
