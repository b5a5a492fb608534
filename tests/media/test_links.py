"""Links: what they name, how long they live, and that nobody makes one without the key."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as some

from smsdesk.domain.media_link import is_proven, make_token, read_token

KEY, NOW = b"k" * 32, datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
IDS = some.integers(1, 2**63 - 1)


@given(IDS, IDS, IDS, some.integers(1, 365))
def test_a_link_names_what_it_was_made_for(tenant_id: int, chat_id: int, media_id: int, days: int) -> None:
    token = make_token(KEY, (tenant_id, chat_id, media_id), NOW, days)
    for written in (token, f"{token}.jpg"):
        named = read_token(written)
        assert named is not None
        assert (named.tenant_id, named.chat_id, named.media_id) == (tenant_id, chat_id, media_id)
        assert is_proven(KEY, named)
        assert not is_proven(b"another", named)
        assert timedelta(0) < named.expires_at - (NOW + timedelta(days=days)) <= timedelta(hours=1)


@given(some.integers(0, 60), some.characters(codec="ascii"))
def test_a_link_with_another_character_proves_nothing(place: int, character: str) -> None:
    token = make_token(KEY, (1, 114, 1005), NOW, 7)
    place %= len(token)
    changed = token[:place] + character + token[place + 1 :]
    named = read_token(changed)
    # The last character of the proof carries two bits that count for nothing, and "0" may stand before a number.
    assert changed == token or named is None or not is_proven(KEY, named) or named == read_token(token)


def test_a_link_stays_the_same_within_an_hour_and_is_short() -> None:
    first, later = (make_token(KEY, (1, 114, 1005), NOW + timedelta(minutes=minutes), 7) for minutes in (0, 29))
    assert first == later
    assert len(first) < 45
    assert make_token(KEY, (1, 114, 1005), NOW + timedelta(minutes=30), 7) != first


@given(some.text())
def test_any_words_are_a_link_or_none(words: str) -> None:
    named = read_token(words)
    assert named is None or not is_proven(KEY, named)


def test_numbers_beyond_an_id_are_no_link() -> None:
    assert read_token(f"zzzzzzzzzzzzz-1-1-1-{'A' * 22}") is None
