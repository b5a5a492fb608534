-- The delivery path in whole groups: each function works on all its texts by one statement for each table, where a
-- statement for each row paid the start of an execution, and the reading of all check constraints of the table, for
-- every text. The planner is left no second way without a loop (ADR 0013): a table is changed by itself, and the new
-- values come from the arrays by array_position. Texts are changed at the places where their locked rows lie; rows of
-- parts and messages by `= any (ids)` and the range of these ids, which bounds what is read where the planner takes the
-- range alone (PostgreSQL 15, on tables of which it knows nothing yet). See ADR 0032.

-- Where the rows of texts lie, which the caller has locked: they do not move until he changes them.
create function places_of(p_tenant bigint, p_ids bigint[]) returns tid[]
language plpgsql stable
as $$
begin
    return array(
        select t.place from unnest(p_ids) u (id)
        cross join lateral (
            select t.ctid as place from texts t where t.tenant_id = p_tenant and t.message_id = u.id offset 0
        ) t
    );
end $$;

-- Of each carrier's name that is known, the attempt that was claimed last: a carrier may use a name again after long.
create function named_parts(p_tenant bigint, p_carrier bigint, p_ids text[])
returns table (carrier_part_id text, message_id bigint, attempt smallint, chat_id bigint)
language plpgsql stable
as $$
#variable_conflict use_column
begin
    return query
    select u.id, p.message_id, p.attempt, p.chat_id from unnest(p_ids) u (id)
    cross join lateral (
        select p.message_id, p.attempt, p.chat_id from parts p
        where p.tenant_id = p_tenant and p.carrier_id = p_carrier and p.carrier_part_id = u.id
        order by p.claimed_at desc limit 1
    ) p;
end $$;

-- As in migration 0009, for all texts at once.
create or replace function end_texts(
    p_tenant bigint, p_now timestamptz, p_ids bigint[], p_states text[], p_reasons text[], p_codes text[]
) returns void
language plpgsql
as $$
#variable_conflict use_column
declare
    v_places tid[];
    v_gone record;
begin
    if coalesce(cardinality(p_ids), 0) = 0 then
        return;
    end if;
    v_places := places_of(p_tenant, p_ids);
    with gone as (
        delete from texts t where t.ctid = any (v_places)
        returning t.message_id, t.chat_id, t.state, t.reason, t.code, t.carrier_id, t.source, t.destination
    )
    select array_agg(g.message_id) as ids, array_agg(g.chat_id) as chats, array_agg(x.state) as states,
           array_agg(case when x.first then g.reason when x.state <> 'delivered' then x.reason end) as reasons,
           array_agg(case when x.first then g.code else x.code end) as codes,
           array_agg(g.carrier_id) as carriers, array_agg(g.source) as sources, array_agg(g.destination) as destinations,
           min(g.message_id) as lowest, max(g.message_id) as highest, min(g.chat_id) as lowest_chat,
           max(g.chat_id) as highest_chat
    into v_gone
    from gone g
    cross join lateral (select array_position(p_ids, g.message_id) as i offset 0) u
    cross join lateral (
        select p_states[u.i] as state, p_reasons[u.i] as reason, p_codes[u.i] as code,
               p_states[u.i] <> 'delivered' and g.state <> 'queued' and g.reason is not null as first offset 0
    ) x;
    -- The ranges leave a chat's other messages alone, however long it is, and other periods' partitions, which are not
    -- chosen by an array.
    update messages m
    set (state, reason, code, ended_at) = (
        select v_gone.states[i], v_gone.reasons[i], v_gone.codes[i], p_now
        from (select array_position(v_gone.ids, m.message_id) as i offset 0) u
    )
    where m.tenant_id = p_tenant and m.chat_id = any (v_gone.chats)
      and m.chat_id between v_gone.lowest_chat and v_gone.highest_chat
      and m.message_id between v_gone.lowest and v_gone.highest
      and array_position(v_gone.ids, m.message_id) is not null;
    if 'opted_out' = any (v_gone.reasons) then
        insert into carrier_opt_outs (tenant_id, message_id, carrier_id, number, source, code, at)
        select p_tenant, u.id, u.carrier_id, u.destination, u.source, u.code, p_now
        from unnest(v_gone.ids, v_gone.reasons, v_gone.codes, v_gone.carriers, v_gone.sources, v_gone.destinations)
             u (id, reason, code, carrier_id, source, destination)
        where u.reason = 'opted_out' and u.code is not null
        on conflict do nothing;
    end if;
end $$;

-- As in migration 0010.
create or replace function pick_urgent(
    p_tenant bigint, p_carrier bigint, p_source text, p_limit int, p_notices int, p_now timestamptz
) returns bigint[]
language plpgsql
as $$
declare
    v_urgent bigint[];
    v_notices bigint[];
    v_picked bigint[];
    v_late bigint[];
    v_first timestamptz;
begin
    for round in 1..25 loop
        v_urgent := pick_texts(p_tenant, p_carrier, p_source, 0::smallint, p_limit, p_now);
        v_urgent := v_urgent
            || pick_texts(p_tenant, p_carrier, p_source, 1::smallint, p_limit - cardinality(v_urgent), p_now);
        v_notices := pick_texts(p_tenant, p_carrier, p_source, 2::smallint,
                                greatest(p_notices, p_limit - cardinality(v_urgent)), p_now);
        v_picked := v_urgent[1:p_limit - cardinality(v_notices)] || v_notices;
        -- One look, where nearly always nothing is late, in place of one at each text.
        select t.not_after into v_first from texts t
        where t.tenant_id = p_tenant and t.state = 'queued' and t.not_after is not null
        order by t.not_after limit 1;
        exit when v_first is null or v_first > p_now;
        v_late := array(
            select t.message_id from unnest(v_picked) u (id)
            cross join lateral (
                select t.message_id, t.not_after from texts t
                where t.tenant_id = p_tenant and t.message_id = u.id offset 0
            ) t
            where t.not_after <= p_now
        );
        for i in 1..cardinality(v_late) loop
            update texts t set due_at = p_now + interval '1 minute', queued_at = p_now + interval '1 minute'
            where t.tenant_id = p_tenant and t.message_id = v_late[i];
        end loop;
        v_picked := array(select id from unnest(v_picked) with ordinality u (id, i) where id <> all (v_late) order by i);
        exit when v_picked <> '{}' or v_late = '{}';
    end loop;
    return v_picked;
end $$;

-- As in migration 0009, in one statement for all that is claimed.
create or replace function claim_texts(
    p_tenant bigint, p_carrier bigint, p_limit int, p_notices int, p_node bigint, p_now timestamptz,
    p_sources text[], p_segments int[]
) returns table (message_id bigint, attempt smallint, source text, destination text, body text, parts smallint,
                 valid_until timestamptz)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
set enable_sort = off
as $$
#variable_conflict use_column
declare
    v_ids bigint[];
    v_found bigint[];
    v_ended bigint[];
    v_held bigint[];
    v_states text[];
    v_reasons text[];
    v_taken bigint[];
    v_parts int;
    v_segments int;
    v_notices int;
    v_places tid[];
    v_lowest_chat bigint;
    v_highest_chat bigint;
begin
    if p_sources is not null then
        -- Until the end of this claim nobody takes the limits over, and who does then counts what is claimed here.
        perform from pacers x where x.tenant_id = p_tenant and x.node_id = p_node for share;
        if not found then
            return;
        end if;
    end if;

    -- Rounds, so that a crowd of texts past their time does not hide the others. Bounded, so that a call stays short.
    for round in 1..25 loop
        if p_sources is null then
            v_ids := pick_urgent(p_tenant, p_carrier, null, p_limit, p_notices, p_now);
        else
            v_ids := '{}';
            v_notices := p_notices;
            -- The numbers with nothing urgent last: their notices are the share of notices, as far as they go.
            for i in reverse cardinality(p_sources)..1 loop
                -- What the more urgent ones may take of the room is theirs.
                v_segments := least(p_segments[i],
                                    p_limit - coalesce((select sum(s) from unnest(p_segments[:i - 1]) s), 0)::int);
                continue when v_segments <= 0;
                v_found := pick_urgent(p_tenant, p_carrier, p_sources[i], v_segments,
                                       greatest(least(v_notices, v_segments), 0), p_now);
                v_segments := 0;
                v_taken := '{}';
                for n in 1..cardinality(v_found) loop
                    exit when v_segments >= p_segments[i];
                    select t.parts, v_notices - case t.priority when 2 then 1 else 0 end into v_parts, v_notices
                    from texts t where t.tenant_id = p_tenant and t.message_id = v_found[n];
                    v_segments := v_segments + v_parts;
                    v_taken := v_taken || v_found[n];
                end loop;
                v_ids := v_taken || v_ids;
            end loop;
        end if;
        exit when v_ids = '{}';

        -- A statement of its own, after the lock: an opt-out committed before it is seen, a later one meets the lock.
        select array_agg(t.message_id) filter (where x.end_as <> 'held'),
               array_agg(case x.end_as when 'expired_here' then 'expired' else 'failed' end)
                   filter (where x.end_as <> 'held'),
               array_agg(x.end_as) filter (where x.end_as <> 'held'),
               array_agg(t.message_id) filter (where x.end_as = 'held')
        into v_ended, v_states, v_reasons, v_held
        from unnest(v_ids) u (id)
        cross join lateral (
            select t.message_id, t.destination, t.source, t.kind, t.valid_until from texts t
            where t.tenant_id = p_tenant and t.message_id = u.id offset 0
        ) t
        left join lateral (
            select true as found from opt_outs_between(p_tenant, t.destination, t.source) limit 1
        ) o on true
        left join lateral (
            select true as found from hold_between(p_tenant, t.destination, t.source) where t.kind = 'notice' limit 1
        ) h on true
        cross join lateral (
            select case
                when t.valid_until <= p_now then 'expired_here'
                when t.kind = 'confirmation' then null
                when o.found then 'opted_out'
                when h.found then 'held'
            end as end_as
        ) x
        where x.end_as is not null;
        exit when v_ended is null and v_held is null;
        perform end_texts(p_tenant, p_now, v_ended, v_states, v_reasons, null);
        for i in 1..coalesce(cardinality(v_held), 0) loop
            update texts set due_at = 'infinity' where tenant_id = p_tenant and message_id = v_held[i];
        end loop;
        v_ids := array(select id from unnest(v_ids) id where id <> all (coalesce(v_ended || v_held, v_ended, v_held)));
        exit when v_ids <> '{}';
    end loop;
    if v_ids = '{}' then
        return;
    end if;

    if p_sources is not null then
        insert into paced as x (tenant_id, carrier_id, source, minute, segments)
        select t.tenant_id, p_carrier, t.source, date_trunc('minute', p_now), sum(t.parts)
        from unnest(v_ids) u (id)
        cross join lateral (
            select t.tenant_id, t.source, t.parts from texts t
            where t.tenant_id = p_tenant and t.message_id = u.id offset 0
        ) t
        group by t.tenant_id, t.source
        on conflict (tenant_id, carrier_id, source, minute) do update set segments = x.segments + excluded.segments;
    end if;

    v_places := places_of(p_tenant, v_ids);
    -- The range chooses the partitions once for the group, where the look-up alone would begin in all of them.
    select min(t.chat_id), max(t.chat_id) into v_lowest_chat, v_highest_chat from texts t where t.ctid = any (v_places);
    return query
    with claimed as (
        update texts t
        set state = 'sending', node_id = p_node, attempt = t.attempt + 1, state_at = p_now, reason = null, code = null
        where t.ctid = any (v_places)
        returning t.tenant_id, t.message_id, t.attempt, t.chat_id, t.source, t.destination, t.parts, t.valid_until
    ), ledger as (
        insert into parts (tenant_id, message_id, attempt, part, chat_id, carrier_id, state, claimed_at, state_at)
        select t.tenant_id, t.message_id, t.attempt, n, t.chat_id, p_carrier, 'sending', p_now, p_now
        from claimed t cross join generate_series(1, t.parts) n
    )
    select t.message_id, t.attempt, t.source, t.destination, m.body, t.parts, t.valid_until
    from claimed t
    cross join lateral (
        select m.body from messages m
        where m.tenant_id = p_tenant and m.chat_id = t.chat_id and m.message_id = t.message_id
          and m.chat_id between v_lowest_chat and v_highest_chat offset 0
    ) m
    order by array_position(v_ids, t.message_id);
end $$;

-- What receipts say about parts that are known, which `named_parts` has found as p_found_*. A part's first end stays.
create function place_receipts(
    p_tenant bigint, p_now timestamptz, p_ids text[], p_states text[], p_reasons text[], p_codes text[],
    p_found_ids text[], p_found_messages bigint[], p_found_attempts smallint[], p_found_chats bigint[]
) returns void
language plpgsql
as $$
#variable_conflict use_column
declare
    v_texts record;
    v_reports record;
    v_ends record;
    v_end record;
    v_text record;
    v_ended bigint[] := '{}';
    v_states text[] := '{}';
    v_reasons text[] := '{}';
    v_codes text[] := '{}';
begin
    -- In the order of message_id. Two receipts of one text in parallel: the second waits here, and then sees what the
    -- first one wrote.
    select array_agg(t.message_id) as ids, array_agg(t.attempt) as attempts, array_agg(t.parts) as parts,
           array_agg(t.state) as states
    into v_texts
    from (select distinct u.id from unnest(p_found_messages) u (id) order by u.id offset 0) u
    cross join lateral (
        select t.message_id, t.attempt, t.parts, t.state from texts t
        where t.tenant_id = p_tenant and t.message_id = u.id for update offset 0
    ) t;

    -- Texts of one part, that is most: the receipt that came first for its name is how they end.
    with reports as (
        select p_ids[x.i] as id, p_states[x.i] as state, p_reasons[x.i] as reason, p_codes[x.i] as code,
               f.message_id, f.attempt
        from unnest(p_found_ids, p_found_messages, p_found_attempts) f (id, message_id, attempt)
        cross join lateral (select array_position(v_texts.ids, f.message_id) as n offset 0) t
        cross join lateral (select array_position(p_ids, f.id) as i offset 0) x
        where v_texts.parts[t.n] = 1 and v_texts.attempts[t.n] = f.attempt and v_texts.states[t.n] in ('sent', 'doubtful')
          and p_states[x.i] <> 'sent'
    )
    select array_agg(r.message_id) as ids, array_agg(r.id) as names, array_agg(r.attempt) as attempts,
           array_agg(r.state) as states, array_agg(r.code) as codes,
           array_agg(case when r.state <> 'delivered' then coalesce(r.reason, 'unknown_error') end) as reasons,
           min(r.message_id) as lowest, max(r.message_id) as highest
    into v_ends
    from reports r;
    if v_ends.ids is not null then
        with ended as (
            update parts p
            set (state, code, state_at) = (
                select v_ends.states[i], v_ends.codes[i], p_now
                from (select array_position(v_ends.ids, p.message_id) as i offset 0) u
            )
            where p.tenant_id = p_tenant and p.message_id = any (v_ends.ids)
              and p.message_id between v_ends.lowest and v_ends.highest and p.state in ('sending', 'sent')
              and p.carrier_part_id = v_ends.names[array_position(v_ends.ids, p.message_id)]
              and p.attempt = v_ends.attempts[array_position(v_ends.ids, p.message_id)]
            returning p.message_id
        )
        select array_agg(e.message_id), array_agg(v_ends.states[u.i]), array_agg(v_ends.reasons[u.i]),
               array_agg(v_ends.codes[u.i])
        into v_ended, v_states, v_reasons, v_codes
        from ended e cross join lateral (select array_position(v_ends.ids, e.message_id) as i offset 0) u;
    end if;

    if coalesce(cardinality(v_ends.ids), 0) = cardinality(p_found_ids) then
        perform end_texts(p_tenant, p_now, v_ended, v_states, v_reasons, v_codes);
        return;
    end if;

    -- The others part by part. One name for a text speaks of all of its parts.
    select array_agg(x.message_id) as messages, array_agg(x.chat_id) as chats, array_agg(x.attempt) as attempts,
           array_agg(x.part) as parts, array_agg(x.state) as states, array_agg(x.reason) as reasons,
           array_agg(x.code) as codes
    into v_reports
    from (
        select distinct on (p.message_id, p.attempt, p.part) p.message_id, p.chat_id, p.attempt, p.part, u.state,
               case when u.state <> 'delivered' then coalesce(u.reason, 'unknown_error') end as reason, u.code
        from unnest(p_found_ids, p_found_messages, p_found_attempts) f (id, message_id, attempt)
        cross join lateral (
            select p.message_id, p.chat_id, p.attempt, p.part from parts p
            where p.tenant_id = p_tenant and p.message_id = f.message_id and p.attempt = f.attempt
              and p.carrier_part_id = f.id offset 0
        ) p
        cross join lateral unnest(p_ids, p_states, p_reasons, p_codes) with ordinality u (id, state, reason, code, i)
        where (v_ends.names is null or f.id <> all (v_ends.names)) and u.id = f.id and u.state <> 'sent'
        order by p.message_id, p.attempt, p.part, u.i
    ) x;

    -- A text that ended as `sent` is the one whose message a late fact still improves.
    for i in 1..coalesce(cardinality(v_reports.messages), 0) loop
        if v_texts.ids is null or v_reports.messages[i] <> all (v_texts.ids) then
            perform from messages m
            where m.tenant_id = p_tenant and m.chat_id = v_reports.chats[i] and m.message_id = v_reports.messages[i]
            for no key update;
        end if;
    end loop;

    for i in 1..coalesce(cardinality(v_reports.messages), 0) loop
        update parts p set state = v_reports.states[i], code = v_reports.codes[i], state_at = p_now
        where p.tenant_id = p_tenant and p.message_id = v_reports.messages[i] and p.attempt = v_reports.attempts[i]
          and p.part = v_reports.parts[i] and p.state in ('sending', 'sent');
        continue when not found;

        select t.state, t.attempt, t.reason into v_text from texts t
        where t.tenant_id = p_tenant and t.message_id = v_reports.messages[i];
        if not found then
            select * into v_end from judge_parts(p_tenant, v_reports.messages[i], v_reports.attempts[i]);
            continue when not found;
            update messages m
            set state = v_end.state, code = v_end.code, ended_at = p_now,
                reason = case when v_end.state <> 'delivered' then coalesce(m.reason, v_reports.reasons[i]) end
            where m.tenant_id = p_tenant and m.chat_id = v_reports.chats[i] and m.message_id = v_reports.messages[i]
              and m.state = 'sent';
            continue;
        end if;
        continue when v_text.attempt <> v_reports.attempts[i] or v_text.state not in ('sent', 'doubtful');

        select * into v_end from judge_parts(p_tenant, v_reports.messages[i], v_reports.attempts[i]);
        if found then
            v_ended := v_ended || v_reports.messages[i];
            v_states := v_states || v_end.state;
            v_reasons := v_reasons || coalesce(v_reports.reasons[i], 'unknown_error');
            v_codes := v_codes || v_end.code;
        elsif v_reports.reasons[i] is not null and v_text.reason is null then
            update texts t set reason = v_reports.reasons[i], code = v_reports.codes[i]
            where t.tenant_id = p_tenant and t.message_id = v_reports.messages[i];
        end if;
    end loop;
    perform end_texts(p_tenant, p_now, v_ended, v_states, v_reasons, v_codes);
end $$;

-- As in migration 0007, by way of place_receipts.
create or replace function apply_receipts(
    p_tenant bigint, p_carrier bigint, p_now timestamptz,
    p_ids text[], p_states text[], p_reasons text[], p_codes text[]
) returns void
language plpgsql
as $$
declare
    v_found record;
begin
    select array_agg(f.carrier_part_id) as ids, array_agg(f.message_id) as messages, array_agg(f.attempt) as attempts,
           array_agg(f.chat_id) as chats
    into v_found
    from named_parts(p_tenant, p_carrier, array(select distinct u.id from unnest(p_ids) u (id))) f;
    if v_found.ids is not null then
        perform place_receipts(p_tenant, p_now, p_ids, p_states, p_reasons, p_codes, v_found.ids, v_found.messages,
                               v_found.attempts, v_found.chats);
    end if;
end $$;

-- Receipts are written down: how many are for parts that nobody knows yet, and the chats of which the desks are to be
-- told (as parts_to_tell of migration 0017 has it).
create function take_receipts(
    p_tenant bigint, p_carrier bigint, p_now timestamptz,
    p_ids text[], p_states text[], p_reasons text[], p_codes text[], p_numbers text[], p_references int[],
    p_wholes boolean[]
) returns table (orphans int, chats bigint[])
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
    v_names text[] := array(select distinct u.id from unnest(p_ids) u (id));
    v_found record;
begin
    orphans := 0;
    for look in 1..2 loop
        select coalesce(array_agg(f.carrier_part_id), '{}') as ids, array_agg(f.message_id) as messages,
               array_agg(f.attempt) as attempts, array_agg(f.chat_id) as chats
        into v_found from named_parts(p_tenant, p_carrier, v_names) f;
        exit when look = 2 or cardinality(v_found.ids) = cardinality(v_names);
        -- Whoever writes down the outcome that names such a part waits for this, or is waited for: then it is known.
        perform from carriers c where c.tenant_id = p_tenant and c.carrier_id = p_carrier for no key update;
    end loop;
    if cardinality(v_found.ids) < cardinality(v_names) then
        insert into orphan_receipts (tenant_id, carrier_id, carrier_part_id, state, reason, code, number, reference,
                                     whole, at)
        select p_tenant, p_carrier, u.id, u.state, u.reason, u.code, u.number, u.reference, u.whole, p_now
        from unnest(p_ids, p_states, p_reasons, p_codes, p_numbers, p_references, p_wholes)
             u (id, state, reason, code, number, reference, whole)
        where u.id <> all (v_found.ids)
        on conflict do nothing;
        get diagnostics orphans = row_count;
    end if;
    chats := array(
        select f.chat_id from unnest(v_found.messages, v_found.chats) f (message_id, chat_id)
        where (select c.agent_id from chats c where c.tenant_id = p_tenant and c.chat_id = f.chat_id) is not null
           or (select t.kind from texts t where t.tenant_id = p_tenant and t.message_id = f.message_id) <> 'notice'
    );
    if v_found.ids <> '{}' then
        perform place_receipts(p_tenant, p_now, p_ids, p_states, p_reasons, p_codes, v_found.ids, v_found.messages,
                               v_found.attempts, v_found.chats);
    end if;
    return next;
end $$;

-- What the older version calls.
create or replace function record_receipts(
    p_tenant bigint, p_carrier bigint, p_now timestamptz,
    p_ids text[], p_states text[], p_reasons text[], p_codes text[], p_numbers text[], p_references int[],
    p_wholes boolean[]
) returns int
language plpgsql
as $$
begin
    return (
        select r.orphans from take_receipts(p_tenant, p_carrier, p_now, p_ids, p_states, p_reasons, p_codes, p_numbers,
                                            p_references, p_wholes) r
    );
end $$;

-- What became of attempts is written down: how many of them counted, and the chats of which the desks are to be told (as
-- texts_to_tell of migration 0017 has it). As in migration 0007, with all accepted texts at once.
create function take_outcomes(
    p_tenant bigint, p_carrier bigint, p_now timestamptz, p_ids bigint[], p_attempts smallint[], p_kinds text[],
    p_reasons text[], p_codes text[], p_retry_afters float8[],
    p_part_messages bigint[], p_part_attempts smallint[], p_part_numbers smallint[], p_part_ids text[]
) returns table (counted int, chats bigint[])
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
    v_open record;
    v_named record;
    v_wait interval;
    v_sent bigint[] := '{}';
    v_failed int[] := '{}';
    v_to bigint;
    v_waited record;
    i int;
begin
    perform from carriers c where c.tenant_id = p_tenant and c.carrier_id = p_carrier for share;

    -- In the order of message_id; of two words on one attempt, the one that is no doubt comes first and counts.
    perform from (select distinct u.id from unnest(p_ids) u (id) order by u.id offset 0) u
    cross join lateral (
        select from texts t where t.tenant_id = p_tenant and t.message_id = u.id for update offset 0
    ) t;
    select coalesce(array_agg(x.id), '{}') as ids, coalesce(array_agg(x.i), '{}') as at,
           array_agg(x.refusals) as refusals, array_agg(x.valid_until) as valid,
           array_agg(x.id) filter (where x.kind = 'accepted' and x.reason is null and x.code is null) as accepted,
           array_agg(x.place) filter (where x.kind = 'accepted' and x.reason is null and x.code is null) as places
    into v_open
    from (
        select distinct on (u.id) u.id, u.i, u.kind, u.reason, u.code, t.refusals, t.valid_until, t.place
        from unnest(p_ids, p_attempts, p_kinds, p_reasons, p_codes) with ordinality u (id, attempt, kind, reason, code, i)
        cross join lateral (
            select t.attempt, t.refusals, t.valid_until, t.state, t.ctid as place from texts t
            where t.tenant_id = p_tenant and t.message_id = u.id offset 0
        ) t
        where t.attempt = u.attempt and t.state in ('sending', 'doubtful')
        order by u.id, u.kind = 'doubtful', u.i
    ) x;
    chats := array(
        select t.chat_id from unnest(p_ids, p_kinds) u (id, kind)
        cross join lateral (
            select t.chat_id, t.kind from texts t where t.tenant_id = p_tenant and t.message_id = u.id offset 0
        ) t
        where u.kind = 'doubtful' or t.kind <> 'notice'
           or (select c.agent_id from chats c where c.tenant_id = p_tenant and c.chat_id = t.chat_id) is not null
    );

    -- The names of parts. A message whose name is its only one stands in one place of the arrays; the others are few.
    select array_agg(x.message_id) filter (where x.names = 1) as ids, array_agg(x.first) filter (where x.names = 1) as at,
           array_agg(x.message_id) filter (where x.names > 1) as long, min(x.message_id) as lowest,
           max(x.message_id) as highest
    into v_named
    from (
        select u.message_id, count(*) as names, min(u.n) as first
        from unnest(p_part_messages) with ordinality u (message_id, n)
        where u.message_id = any (v_open.ids) group by u.message_id
    ) x;
    update parts p
    set (carrier_part_id, state, state_at) = (
        select p_part_ids[v_named.at[i]], 'sent', p_now
        from (select array_position(v_named.ids, p.message_id) as i offset 0) u
    )
    where p.tenant_id = p_tenant and p.message_id = any (v_named.ids)
      and p.message_id between v_named.lowest and v_named.highest and p.state = 'sending'
      and p.attempt = p_part_attempts[v_named.at[array_position(v_named.ids, p.message_id)]]
      and p.part = p_part_numbers[v_named.at[array_position(v_named.ids, p.message_id)]];
    for n in 1..case when v_named.long is null then 0 else cardinality(p_part_messages) end loop
        continue when p_part_messages[n] <> all (v_named.long);
        update parts p set carrier_part_id = p_part_ids[n], state = 'sent', state_at = p_now
        where p.tenant_id = p_tenant and p.message_id = p_part_messages[n] and p.attempt = p_part_attempts[n]
          and p.part = p_part_numbers[n] and p.state = 'sending';
    end loop;

    update texts t set state = 'sent', node_id = null, state_at = p_now, reason = null, code = null
    where t.ctid = any (v_open.places);
    v_sent := coalesce(v_open.accepted, '{}');

    for n in 1..case when cardinality(v_sent) = cardinality(v_open.ids) then 0 else cardinality(v_open.ids) end loop
        i := v_open.at[n];
        continue when v_open.ids[n] = any (v_open.accepted);
        v_wait := null;
        if p_kinds[i] in ('refused', 'unsent') then
            update parts p set state = case p_kinds[i] when 'unsent' then 'unsent' else 'failed' end,
                               code = p_codes[i], state_at = p_now
            where p.tenant_id = p_tenant and p.message_id = p_ids[i] and p.attempt = p_attempts[i]
              and p.state = 'sending';
        end if;
        -- A refusal is tried again after a pause that doubles, at most 5 minutes, 20 times at most, while it is valid.
        -- One that speaks of the line is no fault of the text: it keeps its place in the queue and is never given up
        -- while it is valid, for the line rests as a whole. A text that meets nothing else ten times lets others pass.
        if p_kinds[i] = 'refused' then
            v_to := other_carrier(p_tenant, p_carrier, p_ids[i], p_reasons[i], p_retry_afters[i] is not null, p_now);
            if v_to is not null then
                perform move_text(p_tenant, p_ids[i], v_to, coalesce(p_codes[i], p_reasons[i]), p_now);
                continue;
            end if;
            v_wait := case
                when p_retry_afters[i] is null then null
                when p_reasons[i] <> 'queue_full'
                    then make_interval(secs => least(p_retry_afters[i] * 2 ^ least(v_open.refusals[n], 8), 300))
                when v_open.refusals[n] < 10 then interval '0'
                else make_interval(secs => least(p_retry_afters[i] * 2 ^ least(v_open.refusals[n] - 10, 8), 30)) end;
            if v_wait is null or (v_open.refusals[n] >= 19 and p_reasons[i] <> 'queue_full')
               or p_now + v_wait >= v_open.valid[n] then
                v_failed := v_failed || i;
                if p_ids[i] = any (p_part_messages) then
                    v_sent := v_sent || p_ids[i];
                end if;
                continue;
            end if;
        end if;
        update texts t
        set state = case p_kinds[i] when 'accepted' then 'sent' when 'doubtful' then 'doubtful' else 'queued' end,
            node_id = null, state_at = p_now, due_at = coalesce(p_now + nullif(v_wait, interval '0'), t.due_at),
            refusals = t.refusals + case p_kinds[i] when 'refused' then 1 else 0 end,
            reason = p_reasons[i], code = p_codes[i]
        where t.tenant_id = p_tenant and t.message_id = p_ids[i];
        if p_kinds[i] = 'accepted' then
            v_sent := v_sent || p_ids[i];
        end if;
    end loop;
    perform charge_texts(p_tenant, p_carrier, p_now, v_sent);
    foreach i in array v_failed loop
        perform end_texts(p_tenant, p_now, array[p_ids[i]], array['failed'], array[p_reasons[i]], array[p_codes[i]]);
    end loop;

    -- Receipts that came before their part was known, in the order in which they came.
    select array_agg(o.carrier_part_id order by o.at) as ids, array_agg(o.state order by o.at) as states,
           array_agg(o.reason order by o.at) as reasons, array_agg(o.code order by o.at) as codes
    into v_waited
    from unnest(p_part_messages, p_part_ids) u (message_id, id)
    cross join lateral (
        select * from orphan_receipts o
        where o.tenant_id = p_tenant and o.carrier_id = p_carrier and o.carrier_part_id = u.id offset 0
    ) o
    where u.message_id = any (v_open.ids);
    if v_waited.ids is not null then
        for i in 1..cardinality(v_waited.ids) loop
            delete from orphan_receipts o
            where o.tenant_id = p_tenant and o.carrier_id = p_carrier and o.carrier_part_id = v_waited.ids[i];
        end loop;
        perform apply_receipts(p_tenant, p_carrier, p_now, v_waited.ids, v_waited.states, v_waited.reasons,
                               v_waited.codes);
    end if;
    counted := cardinality(v_open.ids);
    return next;
end $$;

-- What the older version calls.
create or replace function record_outcomes(
    p_tenant bigint, p_carrier bigint, p_now timestamptz, p_ids bigint[], p_attempts smallint[], p_kinds text[],
    p_reasons text[], p_codes text[], p_retry_afters float8[],
    p_part_messages bigint[], p_part_attempts smallint[], p_part_numbers smallint[], p_part_ids text[]
) returns int
language plpgsql
as $$
begin
    return (
        select o.counted from take_outcomes(p_tenant, p_carrier, p_now, p_ids, p_attempts, p_kinds, p_reasons, p_codes,
                                            p_retry_afters, p_part_messages, p_part_attempts, p_part_numbers,
                                            p_part_ids) o
    );
end $$;
