"""The rows of a year of chats, as the product would have written them, told in SQL.

Three ways a chat goes: a notice that nobody answers, a notice with a conversation after it, and a conversation that the
consumer began. tests/bench/test_history.py holds the rows against those of chats that went through the API.
"""

WORDS_OF_NUMBERS = 424242424242
"""Stands in a line's words where the number of the order comes."""

# (kind, turn, place of its id, who says it, which lines)
TURNS = (
    (0, 1, 1, "api", "notice"),
    (1, 1, 1, "api", "notice"),
    (1, 2, 6, "end_user", "question"),
    (2, 2, 1, "end_user", "question"),
    *((kind, turn, turn + 4, who, role) for kind in (1, 2) for turn, who, role in (
        (3, "agent", "answer"), (4, "end_user", "word"), (5, "agent", "answer"), (6, "end_user", "word"),
        (7, "agent", "closing"),
    )),
    (2, 8, 6, "system", "confirmation"),
)  # fmt: skip
LINES = {
    "notice": (
        "Your order # is ready. You can collect it until 6 pm.", "Your order # has left our warehouse today.",
        "Reminder: your visit # is tomorrow at 10 am. Reply to change it.", "Your invoice # is due on Friday.",
        "Your parcel # will arrive tomorrow between 9 and 12.", "Your repair # is done. Come by any time this week.",
        "We have received your payment for #. Thank you.", "Your ticket # was solved. Reply if it was not.",
    ),
    "question": (
        "Thanks! When can I come by for #?", "Where is my order #?", "Can I move it to another day?",
        "I think # is not mine.", "What are your opening hours on Saturday?", "Can somebody call me about #?",
        "My address has changed", "It came, but it is broken",
    ),
    "answer": (
        "We are open from 9 am to 6 pm, on Saturday to 1 pm.", "It is on its way and should be there tomorrow.",
        "Of course. Which day would be good for you?", "I am sorry about that. Could you send us a picture?",
        "I have changed it for you.", "One moment please, I will look.", "Somebody will call you this afternoon.",
        "Please bring the receipt with you.",
    ),
    "word": ("ok", "Great, thank you", "Tuesday would be fine", "yes please", "No, the other one", "I will try",
             "that is too late for me", "Thanks!"),
    "closing": (
        "You are welcome. Have a good day!", "Done. Write to us whenever you need something.",
        "Thank you for your patience.", "I have noted it. Goodbye!", "Good to hear. See you on Tuesday.",
        "It is arranged. Anything else?", "All right, until then.", "We will keep you posted.",
    ),
    "confirmation": ("bench: Thanks for your text. Recurring messages. Msg & data rates may apply. Reply HELP for help,"
                     " STOP to opt out.",) * 8,
}  # fmt: skip
DISPOSITIONS = ("Question", "Complaint", "Change", "Return")


PLAN_TABLES = """
create unlogged table history_plan (
    n bigint, id bigint, at timestamptz, kind int, end_user_id bigint, is_new boolean, number text, previous bigint,
    ours text, queue_id bigint, agent_id bigint, asked int, wait int, pace int, lasts int, lost boolean
);
create unlogged table history_turns (kind int, turn int, place int, sender text, role text);
create unlogged table history_lines (role text, variant int, head text, tail text, words_head text, words_tail text);
"""
DROP_TABLES = "drop table if exists history_plan, history_turns, history_lines"
_LINES = """
insert into history_lines
select role, variant, split_part(line, '#', 1), case when line like '%#%' then split_part(line, '#', 2) end,
       split_part(words, $2, 1), case when line like '%#%' then split_part(words, $2, 2) end
from (
    select u.*, (to_tsvector('simple', replace(line, '#', $2)) || array_to_tsvector(array['t:' || $1::bigint]))::text
           as words
    from unnest($3::text[], $4::int[], $5::text[]) u (role, variant, line)
) x
"""


def lines() -> tuple[str, tuple[object, ...]]:
    """The statement that writes `history_lines`, and its parameters but the tenant."""
    rows = [(role, variant, line) for role, each in LINES.items() for variant, line in enumerate(each)]
    return _LINES, (str(WORDS_OF_NUMBERS), *(list(column) for column in zip(*rows, strict=True)))


_BEGUN = "p.at + p.asked * interval '1 second'"
_TAKEN = "p.at + (p.asked + p.wait) * interval '1 second'"
_ENDED = "p.at + coalesce(p.lasts, p.asked + p.wait + 6 * p.pace) * interval '1 second'"
_SAID = """p.at + (case when s.turn = 1 then 0 when s.turn in (2, 8) then p.asked
                        else p.asked + p.wait + (s.turn - 2) * p.pace end) * interval '1 second'"""
_OF_TURNS = "from history_plan p join history_turns s on s.kind = p.kind and (s.turn <> 8 or p.is_new)"
_WITH_LINES = f"""{_OF_TURNS}
join history_lines l on l.role = s.role and l.variant = (p.n * 5 + s.turn * 3 + p.n / 7) % 8"""
_OURS = "s.sender <> 'end_user'"
_WITH_AGENT = "from history_plan p where p.kind > 0"

_TABLES: dict[str, str] = {
    "end_users": """
        (tenant_id, end_user_id, number, created_at)
        select :tenant, p.end_user_id, p.number, p.at from history_plan p
        where p.is_new
    """,
    "chats": f"""
        (tenant_id, chat_id, end_user_id, outbound_number, direction, status, created_at, queued_at, assigned_at,
         ends_at, queue_id, agent_id, ticket_id, fail_reason, disconnected_by, chat_type, since, span_count,
         end_user_said_at, agent_said_at, previous_chat_id, offer_type)
        select :tenant, p.id, p.end_user_id, p.ours, case p.kind when 2 then 'inbound' else 'outbound' end,
               case p.kind when 0 then 'failed' else 'finished' end, p.at, case when p.kind > 0 then {_BEGUN} end,
               case when p.kind > 0 then {_TAKEN} end, {_ENDED}, case when p.kind > 0 then p.queue_id end,
               case when p.kind > 0 then p.agent_id end,
               case when p.kind < 2 and p.n % 4 = 0 then '5006x' || lpad(p.n::text, 13, '0') end,
               case p.kind when 0 then 'no_response' end,
               case p.kind when 0 then 'disconnected_by_unknown' else 'disconnected_by_agent' end,
               case p.kind when 2 then 'Messaging Inbound (SMS)' end, {_ENDED}, case p.kind when 0 then 1 else 4 end,
               case when p.kind > 0 then {_TAKEN} + 4 * p.pace * interval '1 second' end,
               case when p.kind > 0 then {_TAKEN} + 5 * p.pace * interval '1 second' end,
               case p.kind when 2 then p.previous end, case when p.kind > 0 then 'deltacast' end
        from history_plan p
    """,  # noqa: S608 - of constants
    "messages": f"""
        (tenant_id, chat_id, message_id, sender, agent_id, credential_id, body, encoding, parts, created_at, state,
         reason, code, ended_at)
        select :tenant, p.id, p.id + s.place, s.sender, case s.sender when 'agent' then p.agent_id end,
               case s.sender when 'api' then :credential::bigint end,
               case when l.tail is null then l.head else l.head || (1000000 + p.n) || l.tail end, 'gsm7', 1, {_SAID},
               case when {_OURS} then case when p.lost then 'undelivered' else 'delivered' end end,
               case when p.lost then 'unreachable' end,
               case when {_OURS} then case when p.lost then 'stat:UNDELIV err:001' else 'stat:DELIVRD err:000' end end,
               case when {_OURS} then {_SAID} + interval '2.5 seconds' end
        {_WITH_LINES}
    """,
    "message_words": f"""
        (tenant_id, chat_id, message_id, words)
        select :tenant, p.id, p.id + s.place, (case when l.words_tail is null then l.words_head
                                          else l.words_head || (1000000 + p.n) || l.words_tail end)::tsvector
        {_WITH_LINES}
    """,
    "parts": f"""
        (tenant_id, message_id, attempt, part, chat_id, carrier_id, state, carrier_part_id, code, claimed_at, state_at)
        select :tenant, p.id + s.place, 1, 1, p.id, :carrier, case when p.lost then 'undelivered' else 'delivered' end,
               to_hex(p.id + s.place), case when p.lost then 'stat:UNDELIV err:001' else 'stat:DELIVRD err:000' end,
               {_SAID} + interval '0.06 seconds', {_SAID} + interval '2.5 seconds'
        {_OF_TURNS} where {_OURS}
    """,
    "spans": f"""
        (tenant_id, chat_id, number, status, agent_id, queue_id, started_at, ended_at)
        select :tenant, p.id, s.number, s.status, case when s.number > 1 then p.agent_id end,
               case when s.number > 0 then p.queue_id end,
               case s.number when 0 then p.at when 1 then {_BEGUN} when 2 then {_TAKEN}
                             else {_TAKEN} + p.pace * interval '1 second' end,
               case when p.kind = 0 or s.number = 3 then {_ENDED} when s.number = 0 then {_BEGUN}
                    when s.number = 1 then {_TAKEN} else {_TAKEN} + p.pace * interval '1 second' end
        from history_plan p
        join (values (0, 'selecting'), (1, 'queued'), (2, 'assigned'), (3, 'ongoing')) s (number, status)
          on p.kind > 0 or s.number = 0

    """,  # noqa: S608 - of constants
    "participants": f"""
        (tenant_id, chat_id, participant_id, type, status, user_id, end_user_id, connected_at, ended_at)
        select :tenant, p.id, p.id + 2 + s.n, case s.n when 0 then 'end_user' else 'agent' end, 'finished',
               case s.n when 1 then p.agent_id end, case s.n when 0 then p.end_user_id end,
               case s.n when 0 then p.at else {_TAKEN} end, {_ENDED}
        from history_plan p join (values (0), (1)) s (n) on s.n = 0 or p.kind > 0

    """,  # noqa: S608 - of constants
    "offers": f"""
        (tenant_id, chat_id, offer_id, agent_id, cast_number, reserves, state, offered_at, expires_at, ended_at)
        select :tenant, p.id, p.id + 5, p.agent_id, 1, true, 'accepted', {_BEGUN},
               {_BEGUN} + interval '2 minutes', {_TAKEN}
        {_WITH_AGENT}
    """,
    "casts": f"""
        (tenant_id, chat_id, number, at) select :tenant, p.id, 1, {_BEGUN} {_WITH_AGENT}
    """,
    "wrap_ups": f"""
        (tenant_id, chat_id, agent_id, started_at, ended_at, disposition)
        select :tenant, p.id, p.agent_id, {_ENDED}, {_ENDED} + interval '20 seconds',
               ('{{{",".join(DISPOSITIONS)}}}'::text[])[1 + p.n % {len(DISPOSITIONS)}]
        {_WITH_AGENT}
    """,
    "usage": f"""
        (tenant_id, day, carrier_id, source, texts, segments)
        select :tenant, (({_SAID}) at time zone 'UTC')::date, :carrier, p.ours, count(*), count(*)
        {_OF_TURNS} where {_OURS} group by 2, 4
    """,
}
"""Where the rows go and how they are made."""
ALL = tuple(_TABLES)
"""The tables that have rows of it, each behind those that it refers to."""


def rows_of(table: str, tenant_id: int, carrier_id: int, credential_id: int) -> str:
    """The statement that writes the rows of a table."""
    made = _TABLES[table].replace(":tenant", str(int(tenant_id))).replace(":credential", str(int(credential_id)))
    return f"insert into {table} {made.replace(':carrier', str(int(carrier_id)))}"
