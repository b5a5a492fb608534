-- What becomes of attempts, where texts go instead, and what they cost.

-- The receipt speaks of the whole text, for which the carrier has one name.
alter table orphan_receipts add column whole boolean not null default false;

-- What a carrier asks for a segment to this phone; null where it has no rate for it. The longest prefix counts.
create function price_of(p_tenant bigint, p_carrier bigint, p_destination text) returns numeric
language plpgsql
stable
as $$
begin
    return (
        select r.price from rates r
        where r.tenant_id = p_tenant and r.carrier_id = p_carrier
          and r.prefix = any (array(select left(ltrim(p_destination, '+'), n) from generate_series(0, 15) n))
        order by length(r.prefix) desc limit 1
    );
end $$;

-- The parts of an attempt that the carrier took, or may have taken: one that it refused costs nothing.
create function taken_parts(p_tenant bigint, p_message bigint, p_attempt smallint) returns int
language plpgsql
stable
as $$
begin
    return (
        select count(*) from parts p
        where p.tenant_id = p_tenant and p.message_id = p_message and p.attempt = p_attempt
          and (p.carrier_part_id is not null or p.state <> 'failed')
    );
end $$;

-- Notes what a carrier took: the price on each message, and the sums of the day.
create function charge_texts(p_tenant bigint, p_carrier bigint, p_now timestamptz, p_ids bigint[]) returns void
language plpgsql
as $$
declare
    v_currency text;
    v_text record;
    v_price numeric;
    v_prices numeric[] := array_fill(null::numeric, array[cardinality(p_ids)]);
begin
    if p_ids = '{}' then
        return;
    end if;
    select c.currency into v_currency from carriers c where c.tenant_id = p_tenant and c.carrier_id = p_carrier;
    for i in 1..case when v_currency is null then 0 else cardinality(p_ids) end loop
        select t.destination, t.chat_id, t.attempt into v_text from texts t
        where t.tenant_id = p_tenant and t.message_id = p_ids[i];
        v_price := price_of(p_tenant, p_carrier, v_text.destination) * taken_parts(p_tenant, p_ids[i], v_text.attempt);
        continue when v_price is null;
        v_prices[i] := v_price;
        -- Sent again, it costs again; in another currency there is no sum, and the last one stands.
        update messages m
        set price = v_price + case when m.currency = v_currency then m.price else 0 end, currency = v_currency
        where m.tenant_id = p_tenant and m.chat_id = v_text.chat_id and m.message_id = p_ids[i];
    end loop;
    -- In the order of the numbers, so that two groups never wait for each other crosswise.
    insert into usage as x (tenant_id, day, carrier_id, source, currency, texts, segments, price)
    select t.tenant_id, (p_now at time zone 'UTC')::date, p_carrier, t.source, t.currency, count(*), sum(t.segments),
           sum(t.price)
    from unnest(p_ids, v_prices) u (id, price)
    cross join lateral (
        select t.tenant_id, t.source, case when u.price is null then '' else v_currency end as currency,
               case t.parts when 1 then 1 else taken_parts(p_tenant, u.id, t.attempt) end as segments,
               coalesce(u.price, 0) as price
        from texts t where t.tenant_id = p_tenant and t.message_id = u.id offset 0
    ) t
    group by t.tenant_id, t.source, t.currency order by t.source, t.currency
    on conflict (tenant_id, day, carrier_id, source, currency) do update
    set texts = x.texts + excluded.texts, segments = x.segments + excluded.segments, price = x.price + excluded.price;
end $$;

-- Why a carrier is left: no living node that may send has a line to it that works. Null where one has. Under limits one
-- node sends; the others' lines do nothing, so that they cannot know.
create function why_left(p_tenant bigint, p_carrier bigint, p_now timestamptz) returns text
language plpgsql
stable
as $$
declare
    v_keeper bigint := (
        select x.node_id from pacers x join nodes n on n.node_id = x.node_id and n.alive_until > p_now
        where x.tenant_id = p_tenant and exists (select from limits l where l.tenant_id = p_tenant)
    );
begin
    return (
        select min(s.why) from sick_lines s join nodes n on n.node_id = s.node_id and n.alive_until > p_now
        where s.tenant_id = p_tenant and s.carrier_id = p_carrier and s.node_id = coalesce(v_keeper, s.node_id)
        having count(*) > 0 and count(*) >= (
            select count(*) from nodes a where a.alive_until > p_now and a.node_id = coalesce(v_keeper, a.node_id)
        )
    );
end $$;

-- The first fallback of a number that takes its texts now; null where there is none.
create function open_fallback(p_tenant bigint, p_number text, p_now timestamptz) returns bigint
language plpgsql
stable
as $$
begin
    return (
        select f.carrier_id from fallbacks f
        where f.tenant_id = p_tenant and f.number = p_number and (f.closed_until is null or f.closed_until <= p_now)
          and why_left(p_tenant, f.carrier_id, p_now) is null
        order by f.position limit 1
    );
end $$;

-- Puts a text into another carrier's queue; its row is locked. Only one that surely has not left may be moved.
create function move_text(p_tenant bigint, p_message bigint, p_to bigint, p_why text, p_now timestamptz) returns void
language plpgsql
as $$
declare
    v_from bigint;
    v_main bigint;
begin
    select t.carrier_id, n.carrier_id into v_from, v_main
    from texts t left join numbers n on n.tenant_id = t.tenant_id and n.number = t.source
    where t.tenant_id = p_tenant and t.message_id = p_message;
    update texts t
    set carrier_id = p_to, state = 'queued', node_id = null, state_at = p_now, due_at = p_now, reason = null,
        code = null, hops = t.hops + case when p_to = v_main then 0 else 1 end
    where t.tenant_id = p_tenant and t.message_id = p_message;
    insert into moves (tenant_id, message_id, at, from_carrier_id, to_carrier_id, why)
    values (p_tenant, p_message, p_now, v_from, p_to, p_why) on conflict do nothing;
end $$;

-- Where a text goes that a carrier refused; null: nowhere else. A fault of its own carrier sends it to a fallback, once.
-- A fallback that does not take the number sends it back, and gets none of that number for an hour.
create function other_carrier(
    p_tenant bigint, p_carrier bigint, p_message bigint, p_reason text, p_later boolean, p_now timestamptz
) returns bigint
language plpgsql
as $$
declare
    v_text record;
    v_main bigint;
begin
    if p_reason not in ('carrier_error', 'bad_sender', 'unregistered') then
        return null;
    end if;
    select t.source, t.hops into v_text from texts t where t.tenant_id = p_tenant and t.message_id = p_message;
    select n.carrier_id into v_main from numbers n where n.tenant_id = p_tenant and n.number = v_text.source;
    if v_main is null then
        return null;
    elsif p_carrier = v_main then
        return case when p_reason = 'carrier_error' and p_later and v_text.hops = 0
            then open_fallback(p_tenant, v_text.source, p_now) end;
    elsif p_reason = 'carrier_error' and (not p_later or why_left(p_tenant, v_main, p_now) is not null) then
        return null;
    end if;
    update fallbacks f set closed_until = p_now + interval '1 hour', closed_why = p_reason
    where f.tenant_id = p_tenant and f.number = v_text.source and f.carrier_id = p_carrier
      and p_reason <> 'carrier_error';
    return v_main;
end $$;

-- A receipt that names a text by one name for all parts ends all of them.
create or replace function apply_receipts(
    p_tenant bigint, p_carrier bigint, p_now timestamptz,
    p_ids text[], p_states text[], p_reasons text[], p_codes text[]
) returns void
language plpgsql
as $$
declare
    v_reports record;
    v_end record;
    v_text record;
    v_ended bigint[] := '{}';
    v_states text[] := '{}';
    v_reasons text[] := '{}';
    v_codes text[] := '{}';
begin
    -- A carrier may use an id again after long: the part that was sent last is meant.
    select array_agg(x.message_id) as messages, array_agg(x.chat_id) as chats, array_agg(x.attempt) as attempts,
           array_agg(x.part) as parts, array_agg(x.state) as states, array_agg(x.reason) as reasons,
           array_agg(x.code) as codes
    into v_reports
    from (
        select distinct on (p.message_id, p.attempt, p.part) p.message_id, p.chat_id, p.attempt, p.part, u.state,
               case when u.state <> 'delivered' then coalesce(u.reason, 'unknown_error') end as reason, u.code
        from unnest(p_ids, p_states, p_reasons, p_codes) with ordinality u (id, state, reason, code, i)
        cross join lateral (
            select p.message_id, p.attempt from parts p
            where p.tenant_id = p_tenant and p.carrier_id = p_carrier and p.carrier_part_id = u.id
            order by p.claimed_at desc limit 1
        ) last
        cross join lateral (
            select p.message_id, p.chat_id, p.attempt, p.part from parts p
            where p.tenant_id = p_tenant and p.message_id = last.message_id and p.attempt = last.attempt
              and p.carrier_part_id = u.id offset 0
        ) p
        where u.state <> 'sent'
        order by p.message_id, p.attempt, p.part, u.i
    ) x;

    -- In the order of message_id. Two receipts of one text in parallel: the second waits here, and then sees what the
    -- first one wrote. A text that ended as `sent` is the one whose message a late fact still improves.
    for i in 1..coalesce(cardinality(v_reports.messages), 0) loop
        perform from texts t where t.tenant_id = p_tenant and t.message_id = v_reports.messages[i] for update;
        if not found then
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

drop function record_receipts(bigint, bigint, timestamptz, text[], text[], text[], text[], text[], int[]);
-- As in migration 0003, for carriers that have one name for a whole text as well.
create function record_receipts(
    p_tenant bigint, p_carrier bigint, p_now timestamptz,
    p_ids text[], p_states text[], p_reasons text[], p_codes text[], p_numbers text[], p_references int[],
    p_wholes boolean[]
) returns int
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
as $$
declare v_orphans int := 0;
begin
    if exists (
        select from unnest(p_ids) u (id)
        left join lateral (
            select p.part from parts p
            where p.tenant_id = p_tenant and p.carrier_id = p_carrier and p.carrier_part_id = u.id limit 1
        ) p on true
        where p.part is null
    ) then
        perform from carriers c where c.tenant_id = p_tenant and c.carrier_id = p_carrier for no key update;
        insert into orphan_receipts (tenant_id, carrier_id, carrier_part_id, state, reason, code, number, reference,
                                     whole, at)
        select t.tenant_id, p_carrier, u.id, u.state, u.reason, u.code, u.number, u.reference, u.whole, p_now
        from tenants t cross join unnest(p_ids, p_states, p_reasons, p_codes, p_numbers, p_references, p_wholes)
             u (id, state, reason, code, number, reference, whole)
        left join lateral (
            select p.part from parts p
            where p.tenant_id = p_tenant and p.carrier_id = p_carrier and p.carrier_part_id = u.id limit 1
        ) p on true
        where t.tenant_id = p_tenant and p.part is null
        on conflict do nothing;
        get diagnostics v_orphans = row_count;
    end if;
    perform apply_receipts(p_tenant, p_carrier, p_now, p_ids, p_states, p_reasons, p_codes);
    return v_orphans;
end $$;

-- As in migration 0003; refused texts may go to another carrier, and what was taken is charged.
create or replace function record_outcomes(
    p_tenant bigint, p_carrier bigint, p_now timestamptz, p_ids bigint[], p_attempts smallint[], p_kinds text[],
    p_reasons text[], p_codes text[], p_retry_afters float8[],
    p_part_messages bigint[], p_part_attempts smallint[], p_part_numbers smallint[], p_part_ids text[]
) returns int
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
    v_row record;
    v_text record;
    v_wait interval;
    v_counted bigint[] := '{}';
    v_at int[] := '{}';
    v_refusals smallint[] := '{}';
    v_valid timestamptz[] := '{}';
    v_sent bigint[] := '{}';
    v_failed int[] := '{}';
    v_to bigint;
    v_waited record;
    i int;
begin
    perform from carriers c where c.tenant_id = p_tenant and c.carrier_id = p_carrier for share;

    -- In the order of message_id; of two words on one attempt, the one that is no doubt comes first and counts.
    for v_row in
        select u.id, u.attempt, u.i from unnest(p_ids, p_attempts, p_kinds) with ordinality u (id, attempt, kind, i)
        order by u.id, u.kind = 'doubtful', u.i
    loop
        select t.attempt, t.refusals, t.valid_until, t.state into v_text from texts t
        where t.tenant_id = p_tenant and t.message_id = v_row.id for update;
        continue when not found or v_text.attempt <> v_row.attempt or v_text.state not in ('sending', 'doubtful')
                       or v_row.id = any (v_counted);
        v_counted := v_counted || v_row.id;
        v_at := v_at || v_row.i::int;
        v_refusals := v_refusals || v_text.refusals;
        v_valid := v_valid || v_text.valid_until;
    end loop;

    for n in 1..cardinality(p_part_messages) loop
        continue when p_part_messages[n] <> all (v_counted);
        update parts p set carrier_part_id = p_part_ids[n], state = 'sent', state_at = p_now
        where p.tenant_id = p_tenant and p.message_id = p_part_messages[n] and p.attempt = p_part_attempts[n]
          and p.part = p_part_numbers[n] and p.state = 'sending';
    end loop;

    for n in 1..cardinality(v_at) loop
        i := v_at[n];
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
                    then make_interval(secs => least(p_retry_afters[i] * 2 ^ least(v_refusals[n], 8), 300))
                when v_refusals[n] < 10 then interval '0'
                else make_interval(secs => least(p_retry_afters[i] * 2 ^ least(v_refusals[n] - 10, 8), 30)) end;
            if v_wait is null or (v_refusals[n] >= 19 and p_reasons[i] <> 'queue_full')
               or p_now + v_wait >= v_valid[n] then
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
    where u.message_id = any (v_counted);
    if v_waited.ids is not null then
        for i in 1..cardinality(v_waited.ids) loop
            delete from orphan_receipts o
            where o.tenant_id = p_tenant and o.carrier_id = p_carrier and o.carrier_part_id = v_waited.ids[i];
        end loop;
        perform apply_receipts(p_tenant, p_carrier, p_now, v_waited.ids, v_waited.states, v_waited.reasons,
                               v_waited.codes);
    end if;
    return cardinality(v_counted);
end $$;

-- As in migration 0003; a receipt for a whole text names all of its parts, and a text of which all parts have names is
-- `sent`, and charged. A receipt may be that of an attempt before the last one, of which nobody knows what became: that
-- the phone has the text is true all the same, that it has it not would be said of the wrong attempt.
create or replace function resolve_doubtful(p_tenant bigint, p_carrier bigint, p_now timestamptz, p_limit int) returns int
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
    v_ids bigint[];
    v_id bigint;
    v_text record;
    v_since timestamptz;
    v_open smallint[];
    v_earlier boolean;
    v_alone boolean;
    v_found record;
    v_names text[];
    v_placed int := 0;
begin
    -- Before the lock, which everybody waits for who has something to write down of this carrier.
    v_ids := array(
        select x.message_id from (
            select t.message_id from texts t
            where t.tenant_id = p_tenant and t.carrier_id = p_carrier and t.state = 'doubtful'
              -- Those that no receipt waits for would hide the others for as long as nobody settles them.
              and exists (
                  select from orphan_receipts o
                  where o.tenant_id = p_tenant and o.carrier_id = p_carrier and o.number = t.destination
                    and (o.reference is null or o.reference = t.message_id & 65535)
                    and o.at >= (select min(p.claimed_at) from parts p
                                 where p.tenant_id = p_tenant and p.message_id = t.message_id and p.attempt = t.attempt)
              )
            order by t.state_at limit p_limit
        ) x order by x.message_id
    );
    if v_ids = '{}' then
        return 0;
    end if;
    perform from carriers c where c.tenant_id = p_tenant and c.carrier_id = p_carrier for no key update;
    foreach v_id in array v_ids loop
        select t.destination, t.attempt, t.state into v_text from texts t
        where t.tenant_id = p_tenant and t.message_id = v_id and t.carrier_id = p_carrier for update;
        continue when not found or v_text.state <> 'doubtful';
        v_open := array(
            select p.part from parts p
            where p.tenant_id = p_tenant and p.message_id = v_id and p.attempt = v_text.attempt
              and p.carrier_part_id is null and p.state = 'sending' order by p.part
        );
        continue when v_open = '{}';
        select min(p.claimed_at) filter (where p.attempt = v_text.attempt),
               bool_or(p.attempt <> v_text.attempt and p.carrier_id = p_carrier and p.carrier_part_id is null
                       and p.code in ('resent', 'settled: send_again'))
        into v_since, v_earlier
        from parts p where p.tenant_id = p_tenant and p.message_id = v_id;
        -- Another text to this phone may be with another carrier by now, and have been doubtful with this one before.
        v_alone := not exists (
            select from texts o
            where o.tenant_id = p_tenant and o.destination = v_text.destination and o.destination > ''
              and o.message_id <> v_id
              and (o.carrier_id = p_carrier and o.state in ('sending', 'sent', 'doubtful') or exists (
                  select from parts p
                  where p.tenant_id = p_tenant and p.message_id = o.message_id and p.carrier_id = p_carrier
                    and p.carrier_part_id is null and p.code in ('resent', 'settled: send_again')
              ))
        );
        select array_agg(x.carrier_part_id) as ids, array_agg(x.state) as states, array_agg(x.reason) as reasons,
               array_agg(x.code) as codes, bool_or(x.whole) as whole
        into v_found
        from (
            select o.* from orphan_receipts o
            where o.tenant_id = p_tenant and o.carrier_id = p_carrier and o.number = v_text.destination
              and (o.reference = v_id & 65535 or (o.reference is null and v_alone))
              and o.at >= v_since and (o.state = 'delivered' or not v_earlier)
            order by o.at, o.carrier_part_id
        ) x;
        continue when v_found.ids is null;

        v_names := array(
            select u.id from unnest(v_found.ids) with ordinality u (id, i) group by u.id order by min(u.i)
            limit case when v_found.whole then 1 else cardinality(v_open) end
        );
        for n in 1..cardinality(v_names) loop
            -- A carrier with one name for a text reports on all of its parts at once.
            update parts p set carrier_part_id = v_names[n], state = 'sent', state_at = p_now
            where p.tenant_id = p_tenant and p.message_id = v_id and p.attempt = v_text.attempt
              and (p.part = v_open[n] or (v_found.whole and p.part = any (v_open)));
            delete from orphan_receipts o
            where o.tenant_id = p_tenant and o.carrier_id = p_carrier and o.carrier_part_id = v_names[n];
        end loop;
        if v_found.whole or cardinality(v_names) = cardinality(v_open) then
            update texts t set state = 'sent', state_at = p_now where t.tenant_id = p_tenant and t.message_id = v_id;
            perform charge_texts(p_tenant, p_carrier, p_now, array[v_id]);
        end if;
        perform apply_receipts(p_tenant, p_carrier, p_now, v_found.ids, v_found.states, v_found.reasons, v_found.codes);
        v_placed := v_placed + cardinality(v_names);
    end loop;
    return v_placed;
end $$;

-- As in migration 0003, a carrier at a time, as their index has them.
create or replace function end_silent(p_tenant bigint, p_now timestamptz, p_before timestamptz, p_limit int) returns int
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
    v_carrier bigint;
    v_ids bigint[] := '{}';
begin
    for v_carrier in select c.carrier_id from carriers c where c.tenant_id = p_tenant loop
        v_ids := v_ids || array(
            select t.message_id from texts t
            where t.tenant_id = p_tenant and t.carrier_id = v_carrier and t.state = 'sent' and t.state_at < p_before
            order by t.state_at limit p_limit - cardinality(v_ids) for update skip locked
        );
    end loop;
    perform end_texts(p_tenant, p_now, v_ids, array_fill('sent'::text, array[cardinality(v_ids)]), null, null);
    return cardinality(v_ids);
end $$;

-- As in migration 0003, by an index: a look at each tenant must not read the texts of all.
create or replace function end_expired(p_tenant bigint, p_now timestamptz, p_limit int) returns int
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off
set enable_sort = off set plan_cache_mode = force_generic_plan
as $$
declare v_ids bigint[];
begin
    v_ids := array(
        select t.message_id from texts t
        where t.tenant_id = p_tenant and t.state = 'queued' and t.valid_until <= p_now
        order by t.valid_until limit p_limit for update skip locked
    );
    perform end_texts(p_tenant, p_now, v_ids, array_fill('expired'::text, array[cardinality(v_ids)]),
                      array_fill('expired_here'::text, array[cardinality(v_ids)]), null);
    return cardinality(v_ids);
end $$;

-- As in migration 0004; what a person says was sent is charged.
create or replace function settle_text(
    p_tenant bigint, p_message bigint, p_verdict text, p_settled_by text, p_now timestamptz, p_valid_until timestamptz
) returns boolean
language plpgsql
as $$
declare
    v_attempt smallint;
    v_carrier bigint;
begin
    select t.attempt, t.carrier_id into v_attempt, v_carrier from texts t
    where t.tenant_id = p_tenant and t.message_id = p_message and t.state = 'doubtful' for update;
    if not found then
        return false;
    end if;
    insert into settlements (tenant_id, message_id, attempt, at, verdict, settled_by)
    values (p_tenant, p_message, v_attempt, p_now, p_verdict, p_settled_by);
    update parts p
    set state = case p_verdict when 'sent' then 'sent' else 'failed' end, code = 'settled: ' || p_verdict, state_at = p_now
    where p.tenant_id = p_tenant and p.message_id = p_message and p.attempt = v_attempt and p.state = 'sending';
    if p_verdict = 'sent' then
        update texts t set state = 'sent', state_at = p_now where t.tenant_id = p_tenant and t.message_id = p_message;
        perform charge_texts(p_tenant, v_carrier, p_now, array[p_message]);
    elsif p_verdict = 'not_sent' then
        perform end_texts(p_tenant, p_now, array[p_message], array['failed'], array['not_sent'], array['settled: not_sent']);
    else
        update texts t
        set state = 'queued', state_at = p_now, due_at = p_now, node_id = null, reason = null, code = null,
            valid_until = greatest(t.valid_until, p_valid_until)
        where t.tenant_id = p_tenant and t.message_id = p_message;
    end if;
    return true;
end $$;

-- Texts of which nobody knows whether they left, and whose sender wants them sent again rather than held: at most three
-- times, within their time. The result counts them.
create function resend_doubtful(p_tenant bigint, p_now timestamptz, p_before timestamptz, p_limit int) returns int
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off
as $$
declare v_ids bigint[];
begin
    v_ids := array(
        select t.message_id from texts t
        where t.tenant_id = p_tenant and t.state = 'doubtful' and t.on_doubt = 'resend' and t.state_at <= p_before
          and t.valid_until > p_now and t.resends < 3
        order by t.state_at limit p_limit for update skip locked
    );
    for i in 1..cardinality(v_ids) loop
        update parts p set state = 'failed', code = 'resent', state_at = p_now
        from texts t
        where t.tenant_id = p_tenant and t.message_id = v_ids[i] and p.tenant_id = t.tenant_id
          and p.message_id = t.message_id and p.attempt = t.attempt and p.state = 'sending';
        update texts t
        set state = 'queued', state_at = p_now, due_at = p_now, node_id = null, reason = null, code = null,
            resends = t.resends + 1
        where t.tenant_id = p_tenant and t.message_id = v_ids[i];
    end loop;
    return cardinality(v_ids);
end $$;

-- What waits of a number with a carrier that the number has no more to do with goes to its own: nobody would look after
-- it there, were that carrier left.
create function bring_home(p_tenant bigint, p_number text, p_now timestamptz) returns void
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off
as $$
declare
    v_main bigint;
    v_from bigint;
    v_id bigint;
begin
    select n.carrier_id into v_main from numbers n where n.tenant_id = p_tenant and n.number = p_number;
    for v_from in
        select c.carrier_id from carriers c
        where c.tenant_id = p_tenant and c.carrier_id <> v_main
          and not exists (
              select from fallbacks f
              where f.tenant_id = p_tenant and f.number = p_number and f.carrier_id = c.carrier_id
          )
    loop
        for v_id in
            select t.message_id from texts t
            where t.tenant_id = p_tenant and t.carrier_id = v_from and t.source = p_number and t.state = 'queued'
            for update skip locked
        loop
            perform move_text(p_tenant, v_id, v_main, 'the number was given another carrier', p_now);
        end loop;
    end loop;
end $$;

-- Sends the texts of each number to the carrier that takes them now: its own, or while that is left the first fallback
-- that works. What waits is moved as well, at most p_limit texts in a call: away from its own carrier once, and from a
-- fallback that is left to wherever the number goes now. The result counts moves.
create function route_texts(p_tenant bigint, p_now timestamptz, p_limit int) returns int
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off
as $$
declare
    v_number record;
    v_why text;
    v_to bigint;
    v_from bigint;
    v_from_why text;
    v_ids bigint[];
    v_target bigint;
    v_moved int := 0;
begin
    -- In the order of who applies a set-up: the tenant, then its numbers.
    perform from tenants t where t.tenant_id = p_tenant for no key update;
    for v_number in
        select n.number, n.carrier_id, n.current_carrier_id from numbers n
        where n.tenant_id = p_tenant
          and (n.current_carrier_id is not null
               or exists (select from fallbacks f where f.tenant_id = p_tenant and f.number = n.number))
        order by n.number
    loop
        v_why := why_left(p_tenant, v_number.carrier_id, p_now);
        v_to := case when v_why is not null then open_fallback(p_tenant, v_number.number, p_now) end;
        if v_to is distinct from v_number.current_carrier_id then
            update numbers n set current_carrier_id = v_to, current_why = case when v_to is not null then v_why end
            where n.tenant_id = p_tenant and n.number = v_number.number;
            update tenants t set changed_at = p_now where t.tenant_id = p_tenant;
        end if;
        for v_from in
            select f.carrier_id from fallbacks f where f.tenant_id = p_tenant and f.number = v_number.number
            union all select v_number.carrier_id
        loop
            v_target := coalesce(v_to, case when v_why is null then v_number.carrier_id end);
            v_from_why := case when v_from = v_number.carrier_id then v_why else why_left(p_tenant, v_from, p_now) end;
            continue when v_target is null or v_target = v_from or v_from_why is null;
            v_ids := array(
                select t.message_id from texts t
                where t.tenant_id = p_tenant and t.carrier_id = v_from and t.source = v_number.number
                  and t.state = 'queued' and (v_from <> v_number.carrier_id or t.hops = 0)
                order by t.priority, t.due_at limit p_limit - v_moved for update skip locked
            );
            for i in 1..cardinality(v_ids) loop
                perform move_text(p_tenant, v_ids[i], v_target, v_from_why, p_now);
            end loop;
            v_moved := v_moved + cardinality(v_ids);
        end loop;
        exit when v_moved >= p_limit;
    end loop;
    return v_moved;
end $$;
