"""Agents' passwords: from the reference in the file to the argon2id hash in the database, and unchanged where equal."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from smsdesk.domain.setup import State
from smsdesk.domain.sign_in import SHORTEST
from smsdesk.setup.faults import Fault
from smsdesk.setup.secrets import SecretMissing, resolve
from smsdesk.setup.wanted import Item, Wanted

_HASHER = PasswordHasher()


def hash_password(password: str, chance: Callable[[int], bytes]) -> str:
    """The argon2id hash as it is stored. About 0.1 s of work and 64 MB for its time, by intent (RFC 9106)."""
    return _HASHER.hash(password, salt=chance(16))


def matches(hashed: str, password: str) -> bool:
    """Whether the stored hash is that of the password; False for a hash that cannot be read."""
    try:
        return _HASHER.verify(hashed, password)
    except (Argon2Error, InvalidHashError):
        return False


def settle_passwords(
    current: State, wanted: Wanted, environment: Mapping[str, str], chance: Callable[[int], bytes]
) -> Wanted:
    """Puts hashes in the place of the references; where the password is the one that stands, its hash stays.

    A reference that leads to nothing is a mistake here, since an agent without a password cannot sign in.
    """
    faults = list(wanted.faults)

    def settled() -> Iterator[Item]:
        for item in wanted.items:
            where = item.fields.get("password")
            if item.kind != "agent" or where is None:
                yield item
                continue
            before = current.things.get(item.key, {}).get("password")
            try:
                password = resolve(where, environment)
                if len(password) < SHORTEST:
                    raise SecretMissing(f"the password has {len(password)} characters: at least {SHORTEST}")
            except SecretMissing as missing:
                faults.append(Fault(item.where("password"), str(missing)))
                continue
            kept = before is not None and matches(before, password)
            yield replace(item, fields={**item.fields, "password": before if kept else hash_password(password, chance)})

    items = tuple(settled())
    return replace(wanted, items=items, faults=tuple(faults))
