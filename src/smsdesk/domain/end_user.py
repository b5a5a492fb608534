"""Who a consumer is, as others tell us: names, addresses, and the identifier that they know him by."""

from dataclasses import dataclass, replace
from datetime import datetime

from smsdesk.domain.hours import read_zone
from smsdesk.errors import Problem

LONGEST = 255
"""Characters of a name, an address or an identifier."""
MISSING = "param is missing or the value is empty: {name}"
"""The imitated product's sentence (page mid-session-authentication-apps-api)."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What is told of a consumer; a field that is None is not told."""

    identifier: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class EndUserRow:
    """A consumer: one phone, and who holds it."""

    end_user_id: int
    number: str
    identifier: str | None
    first_name: str | None
    last_name: str | None
    email: str | None
    time_zone: str | None
    out_contact_id: str | None
    merged_into: int | None
    """The consumer whom this phone belongs to as well: what is known of him stands there."""
    created_at: datetime

    def told(self, identity: Identity) -> "EndUserRow":
        """The same with what is told; an empty word takes away what was known, but never the zone or the identifier."""
        return replace(
            self,
            identifier=identity.identifier or self.identifier,
            first_name=_new(identity.first_name, self.first_name),
            last_name=_new(identity.last_name, self.last_name),
            email=_new(identity.email, self.email),
            time_zone=identity.time_zone or self.time_zone,
        )

    def known_of(self, other: "EndUserRow") -> "EndUserRow":
        """The same with what only the other knew."""
        return replace(
            self,
            identifier=self.identifier or other.identifier,
            first_name=self.first_name or other.first_name,
            last_name=self.last_name or other.last_name,
            email=self.email or other.email,
            time_zone=self.time_zone or other.time_zone,
            out_contact_id=self.out_contact_id or other.out_contact_id,
        )


def read_identity(
    identifier: str | None = None, name: str | None = None, first_name: str | None = None,
    last_name: str | None = None, email: str | None = None, time_zone: str | None = None,
) -> Identity:  # fmt: skip
    """What a request tells. `name` is first and last name in one; the two alone go before it. Raises Problem
    `parameter_invalid` where something cannot be so."""
    first, _, last = " ".join((name or "").split()).partition(" ")
    identity = Identity(
        _text("identifier", identifier) or None,
        _text("first_name", first_name if first_name is not None or name is None else first),
        _text("last_name", last_name if last_name is not None or name is None else last),
        _text("email", email),
        _text("time_zone", time_zone) or None,
    )
    if identity.email and ("@" not in identity.email[1:-1] or " " in identity.email):
        raise Problem("parameter_invalid", "email is no e-mail address")
    if identity.time_zone is not None:
        try:
            read_zone(identity.time_zone)
        except ValueError:
            raise Problem("parameter_invalid", "time_zone is no IANA zone, such as America/New_York") from None
    return identity


def _text(name: str, value: str | None) -> str | None:
    if value is None:
        return None
    if len(value) > LONGEST or "\0" in value:
        raise Problem("parameter_invalid", f"{name} is longer than {LONGEST} characters, or has U+0000 in it")
    return value.strip()


def _new(told: str | None, known: str | None) -> str | None:
    return known if told is None else told or None
