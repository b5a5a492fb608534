-- Outcomes and the receipts behind them share a commit, and a claim says with which texts files go
-- (docs/adr/0032-delivery-in-whole-groups.md).

-- As in migration 0009, in one statement for all that is claimed, and it says with which of them files go.
drop function claim_texts(bigint, bigint, int, int, bigint, timestamptz, text[], int[]);
create function claim_texts(
    p_tenant bigint, p_carrier bigint, p_limit int, p_notices int, p_node bigint, p_now timestamptz,
    p_sources text[], p_segments int[]
) returns table (message_id bigint, attempt smallint, source text, destination text, body text, parts smallint,
                 valid_until timestamptz, with_media boolean)
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
    v_with_media bigint[];
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

    v_with_media := array(
        select d.message_id from media d
        where d.tenant_id = p_tenant and d.message_id = any (v_ids) and d.sent_as = 'mms'
    );
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
    select t.message_id, t.attempt, t.source, t.destination, m.body, t.parts, t.valid_until,
           t.message_id = any (v_with_media)
    from claimed t
    cross join lateral (
        select m.body from messages m
        where m.tenant_id = p_tenant and m.chat_id = t.chat_id and m.message_id = t.message_id
          and m.chat_id between v_lowest_chat and v_highest_chat offset 0
    ) m
    order by array_position(v_ids, t.message_id);
end $$;

-- The same, and the chats of which the desks are to be told (as parts_to_tell of migration 0017 has it).
create function place_and_tell(
    p_tenant bigint, p_now timestamptz, p_ids text[], p_states text[], p_reasons text[], p_codes text[],
    p_found_ids text[], p_found_messages bigint[], p_found_attempts smallint[], p_found_chats bigint[]
) returns bigint[]
language plpgsql
as $$
#variable_conflict use_column
declare
    v_chats bigint[] := array(
        select f.chat_id from unnest(p_found_messages, p_found_chats) f (message_id, chat_id)
        where (select c.agent_id from chats c where c.tenant_id = p_tenant and c.chat_id = f.chat_id) is not null
           or (select t.kind from texts t where t.tenant_id = p_tenant and t.message_id = f.message_id) <> 'notice'
    );
begin
    if cardinality(p_found_ids) > 0 then
        perform place_receipts(p_tenant, p_now, p_ids, p_states, p_reasons, p_codes, p_found_ids, p_found_messages,
                               p_found_attempts, p_found_chats);
    end if;
    return v_chats;
end $$;

-- Receipts are written down: how many are for parts that nobody knows yet, and the chats of which the desks are to be
-- told.
create or replace function take_receipts(
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
        select p_tenant, p_carrier, u.id, u.state, u.reason, u.code, u.number, u.reference, coalesce(u.whole, false), p_now
        from unnest(p_ids, p_states, p_reasons, p_codes, p_numbers, p_references, p_wholes)
             u (id, state, reason, code, number, reference, whole)
        where u.id <> all (v_found.ids)
        on conflict do nothing;
        get diagnostics orphans = row_count;
    end if;
    chats := place_and_tell(p_tenant, p_now, p_ids, p_states, p_reasons, p_codes, v_found.ids, v_found.messages,
                            v_found.attempts, v_found.chats);
    return next;
end $$;

-- Outcomes, and after them receipts, by one commit: how many outcomes counted, the names of parts that nobody knows yet,
-- whose receipts are not written down, and the chats of which the desks are to be told. The lock on the carrier that
-- unknown names need is not taken here: two that hold the outcomes' share of it would wait for each other.
create function take_facts(
    p_tenant bigint, p_carrier bigint, p_now timestamptz, p_ids bigint[], p_attempts smallint[], p_kinds text[],
    p_reasons text[], p_codes text[], p_retry_afters float8[],
    p_part_messages bigint[], p_part_attempts smallint[], p_part_numbers smallint[], p_part_ids text[],
    p_receipt_ids text[], p_receipt_states text[], p_receipt_reasons text[], p_receipt_codes text[]
) returns table (counted int, unknown text[], chats bigint[])
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
    v_names text[] := array(select distinct u.id from unnest(p_receipt_ids) u (id));
    v_found record;
begin
    select o.counted, o.chats into counted, chats
    from take_outcomes(p_tenant, p_carrier, p_now, p_ids, p_attempts, p_kinds, p_reasons, p_codes, p_retry_afters,
                       p_part_messages, p_part_attempts, p_part_numbers, p_part_ids) o;
    select coalesce(array_agg(f.carrier_part_id), '{}') as ids, array_agg(f.message_id) as messages,
           array_agg(f.attempt) as attempts, array_agg(f.chat_id) as chats
    into v_found from named_parts(p_tenant, p_carrier, v_names) f;
    unknown := array(select u.id from unnest(v_names) u (id) where u.id <> all (v_found.ids));
    chats := chats || place_and_tell(p_tenant, p_now, p_receipt_ids, p_receipt_states, p_receipt_reasons,
                                     p_receipt_codes, v_found.ids, v_found.messages, v_found.attempts, v_found.chats);
    return next;
end $$;
