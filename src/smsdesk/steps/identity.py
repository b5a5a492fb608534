"""Who consumers are: told, kept, and two of them made one."""

from smsdesk.domain.end_user import MISSING, EndUserRow, Identity
from smsdesk.errors import Problem
from smsdesk.steps.work import Work
from smsdesk.store import end_users
from smsdesk.store.quiet_hours import set_time_zone


async def put(work: Work, identity: Identity, number: str | None) -> EndUserRow:
    """Keeps what is told of the consumer with this identifier: made where he is new, and then his number must be given.
    A number that he did not have becomes one more of his. To say it again changes nothing.

    Raises Problem `end_user_conflict` where the number belongs to somebody with another identifier.
    """
    if not identity.identifier:
        raise Problem("parameter_invalid", MISSING.format(name="identifier"))
    if number is not None:
        await _ensure_number(work, number)
    rows = await end_users.lock_end_users(work.conn, work.tenant_id, (), identity.identifier, number)
    known = next((row for row in rows if row.identifier == identity.identifier), None)
    phone = _person(rows, next((row for row in rows if row.number == number), None))
    if known is None and phone is None:
        raise Problem("parameter_invalid", MISSING.format(name="phone"))
    if phone is not None and phone.identifier not in (None, identity.identifier):
        raise Problem("end_user_conflict", "phone belongs to an end user with another identifier")
    if known is not None and phone is not None and phone.end_user_id != known.end_user_id:
        known = await _join(work, phone, known)
    person = known or phone
    assert person is not None
    return await tell(work, person, identity)


async def find_person(work: Work, end_user_id: int) -> EndUserRow:
    """Who the consumer of this id is: he, or whom his phone was merged into. Raises Problem `not_found`."""
    row = await end_users.find_end_user(work.conn, work.tenant_id, end_user_id)
    if row is not None and row.merged_into is not None:
        row = await end_users.find_end_user(work.conn, work.tenant_id, row.merged_into)
    if row is None:
        raise Problem("not_found")
    return row


async def update(work: Work, end_user_id: int, identity: Identity) -> EndUserRow:
    """Keeps it of the consumer of this id, or of whom he was merged into. Raises Problem `not_found`, or
    `end_user_conflict` where the identifier is another consumer's."""
    rows = await end_users.lock_end_users(work.conn, work.tenant_id, (end_user_id,), identity.identifier)
    asked = next((row for row in rows if row.end_user_id == end_user_id), None)
    if asked is None:
        raise Problem("not_found")
    person_id = asked.merged_into or asked.end_user_id
    if any(row.identifier == identity.identifier for row in rows if row.identifier and row.end_user_id != person_id):
        raise Problem("end_user_conflict", "identifier is another end user's: merge the two")
    return await tell(work, next(row for row in rows if row.end_user_id == person_id), identity)


async def tell(work: Work, row: EndUserRow, identity: Identity) -> EndUserRow:
    """Keeps what is told of a locked consumer: as he is now. His zone is that of all his phones."""
    told = row.told(identity)
    await end_users.write_identity(work.conn, work.tenant_id, told)
    if identity.time_zone is not None:
        for numbers in (await end_users.find_numbers(work.conn, work.tenant_id, [row.end_user_id])).values():
            for number in numbers:
                await set_time_zone(work.conn, work.tenant_id, number, identity.time_zone, work.now)
    return told


async def merge(work: Work, end_user_id: int, into_id: int) -> EndUserRow:
    """Makes two consumers one: the chats and the phones of the first are the second's too, who keeps what is known of
    him and takes what only the other knew. Consent and quiet hours stay with each phone. Again, it changes nothing.

    Raises Problem `not_found`, or `end_user_conflict` where both are in an open chat, or are one already.
    """
    rows = {
        row.end_user_id: row
        for row in await end_users.lock_end_users(work.conn, work.tenant_id, (end_user_id, into_id))
    }
    if end_user_id not in rows or into_id not in rows:
        raise Problem("not_found")
    into = _person(list(rows.values()), rows[into_id])
    gone = rows[end_user_id]
    assert into is not None
    if into.end_user_id == gone.end_user_id:
        raise Problem("end_user_conflict", "an end user cannot be merged into himself")
    if gone.merged_into == into.end_user_id:
        return into
    if gone.merged_into is not None:
        raise Problem("end_user_conflict", f"end user {end_user_id} was merged into {gone.merged_into} before")
    return await _join(work, gone, into)


async def _join(work: Work, gone: EndUserRow, into: EndUserRow) -> EndUserRow:
    both = [gone.end_user_id, into.end_user_id]
    if len(await end_users.find_in_open_chats(work.conn, work.tenant_id, both)) > 1:
        raise Problem("end_user_conflict", "both end users are in an open chat: end one of them first")
    await end_users.merge_rows(work.conn, work.tenant_id, gone.end_user_id, into.end_user_id)
    kept = into.known_of(gone)
    await end_users.write_identity(work.conn, work.tenant_id, kept)
    return kept


async def _ensure_number(work: Work, number: str) -> None:
    new = EndUserRow(await work.take_id(), number, None, None, None, None, None, None, None, work.now)
    await end_users.add_end_user(work.conn, work.tenant_id, new)


def _person(rows: list[EndUserRow], row: EndUserRow | None) -> EndUserRow | None:
    """Whom a phone belongs to."""
    if row is None or row.merged_into is None:
        return row
    return next(one for one in rows if one.end_user_id == row.merged_into)
