-- Delivery and the way back: one-tenant functions with arrays, each called outside a transaction block.
--
-- Whoever changes a text locks its row first, rows in the order of message_id, and a carrier's row before any text's.
-- domain/text_state.py holds the table of legal moves that these functions obey; tests/store/test_text_moves.py runs
-- every order of events against both. The plans must stay index look-ups however the tables grow, hence the settings.

-- Refused attempts of this text. `attempt` also counts those that did not leave.
alter table texts add column refusals smallint not null default 0;

-- When it was known that nothing claimed before the revocation was still to leave; `at` is when it began to block.
alter table opt_outs add column quiet_at timestamptz;

-- Whether a session went on working after a reply of it was taken in.
create index received_by_session on received (tenant_id, carrier_id, session, at);

-- Takes texts out of flight and writes their end onto the messages. The first failure keeps its reason; why a queued
-- text was refused before is no such reason.
create function end_texts(
    p_tenant bigint, p_now timestamptz, p_ids bigint[], p_states text[], p_reasons text[], p_codes text[]
) returns void
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
begin
    with ended as (
        delete from texts t using unnest(p_ids, p_states, p_reasons, p_codes) u (id, state, reason, code)
        where t.tenant_id = p_tenant and t.message_id = u.id
        returning t.chat_id, t.message_id, u.state as ended_as,
                  case when u.state = 'delivered' then null
                       when t.reason is null or t.state = 'queued' then u.reason else t.reason end as reason,
                  case when u.state = 'delivered' or t.reason is null or t.state = 'queued' then u.code
                       else t.code end as code
    )
    update messages m set state = e.ended_as, reason = e.reason, code = e.code, ended_at = p_now
    from ended e where m.tenant_id = p_tenant and m.chat_id = e.chat_id and m.message_id = e.message_id;
end $$;

-- Texts to send, first due first: they and their parts are `sending` under this node before a byte leaves. Those past
-- their time and those whose receiver has opted out end here instead; a confirmation of STOP is the exception.
create function claim_texts(p_tenant bigint, p_carrier bigint, p_limit int, p_node bigint, p_now timestamptz)
returns table (message_id bigint, attempt smallint, source text, destination text, body text, encoding text,
               parts smallint, valid_until timestamptz)
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
    v_ids bigint[];
    v_ended bigint[];
    v_states text[];
    v_reasons text[];
begin
    -- Rounds, so that a crowd of texts past their time does not hide the others. Bounded, so that a call stays short.
    for i in 1..25 loop
        v_ids := array(
            select message_id from texts
            where tenant_id = p_tenant and carrier_id = p_carrier and state = 'queued' and due_at <= p_now
            order by due_at, message_id limit p_limit for update skip locked
        );
        exit when v_ids = '{}';

        -- A statement of its own, after the lock: an opt-out committed before it is seen, a later one meets the lock.
        select array_agg(t.message_id), array_agg(case when t.valid_until <= p_now then 'expired' else 'failed' end),
               array_agg(case when t.valid_until <= p_now then 'expired_here' else 'opted_out' end)
        into v_ended, v_states, v_reasons
        from texts t left join opt_outs o on o.tenant_id = p_tenant and o.number = t.destination
        where t.tenant_id = p_tenant and t.message_id = any (v_ids)
          and (t.valid_until <= p_now or (o.number is not null and t.kind <> 'confirmation'));
        exit when v_ended is null;
        perform end_texts(p_tenant, p_now, v_ended, v_states, v_reasons, array_fill(null::text, array[cardinality(v_ended)]));
        exit when cardinality(v_ended) < cardinality(v_ids);
    end loop;
    if v_ids = '{}' then
        return;
    end if;

    update texts set state = 'sending', node_id = p_node, attempt = attempt + 1, state_at = p_now,
                     reason = null, code = null
    where tenant_id = p_tenant and message_id = any (v_ids);

    insert into parts (tenant_id, message_id, attempt, part, chat_id, carrier_id, state, claimed_at, state_at)
    select t.tenant_id, t.message_id, t.attempt, n, t.chat_id, p_carrier, 'sending', p_now, p_now
    from texts t
    join messages m on m.tenant_id = p_tenant and m.chat_id = t.chat_id and m.message_id = t.message_id
    cross join generate_series(1, m.parts) n
    where t.tenant_id = p_tenant and t.message_id = any (v_ids);

    return query
    select t.message_id, t.attempt, t.source, t.destination, m.body, m.encoding, m.parts, t.valid_until
    from texts t
    join messages m on m.tenant_id = p_tenant and m.chat_id = t.chat_id and m.message_id = t.message_id
    where t.tenant_id = p_tenant and t.message_id = any (v_ids)
    order by t.due_at, t.message_id;
end $$;

-- What receipts say about parts that are known. A part's first end stays; a text ends when all its parts have ended,
-- as delivered when all have arrived, else as the first one that did not.
create function apply_receipts(
    p_tenant bigint, p_carrier bigint, p_now timestamptz, p_ids text[], p_states text[], p_reasons text[], p_codes text[]
) returns void
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
declare
    v_messages bigint[];
    v_chats bigint[];
    v_attempts smallint[];
    v_parts smallint[];
    v_states text[];
    v_reasons text[];
    v_codes text[];
    v_live bigint[];
    v_ended bigint[];
begin
    -- A carrier may use an id again after long: the part that was sent last is meant.
    select array_agg(x.message_id), array_agg(x.chat_id), array_agg(x.attempt), array_agg(x.part), array_agg(x.state),
           array_agg(x.reason), array_agg(x.code)
    into v_messages, v_chats, v_attempts, v_parts, v_states, v_reasons, v_codes
    from (
        select distinct on (p.message_id, p.attempt, p.part) p.message_id, p.chat_id, p.attempt, p.part, u.state,
               case when u.state <> 'delivered' then coalesce(u.reason, 'unknown_error') end as reason, u.code
        from unnest(p_ids, p_states, p_reasons, p_codes) with ordinality u (id, state, reason, code, i)
        cross join lateral (
            select * from parts p
            where p.tenant_id = p_tenant and p.carrier_id = p_carrier and p.carrier_part_id = u.id
            order by p.claimed_at desc limit 1
        ) p
        where u.state <> 'sent'
        order by p.message_id, p.attempt, p.part, u.i
    ) x;
    if v_messages is null then
        return;
    end if;

    -- Two receipts of one text in parallel: the second waits here, and then sees what the first one wrote.
    v_live := array(
        select t.message_id from texts t where t.tenant_id = p_tenant and t.message_id = any (v_messages)
        order by t.message_id for update
    );

    with changed as (
        update parts p set state = u.state, code = u.code, state_at = p_now
        from unnest(v_messages, v_attempts, v_parts, v_states, v_reasons, v_codes)
             u (message_id, attempt, part, state, reason, code)
        where p.tenant_id = p_tenant and p.message_id = u.message_id and p.attempt = u.attempt and p.part = u.part
          and p.state in ('sending', 'sent')
        returning p.message_id, p.attempt, p.part, u.reason, u.code
    ), failures as (
        select distinct on (message_id, attempt) * from changed where reason is not null
        order by message_id, attempt, part
    )
    update texts t set reason = f.reason, code = f.code
    from failures f
    where t.tenant_id = p_tenant and t.message_id = f.message_id and t.attempt = f.attempt and t.reason is null
      and t.state in ('sent', 'doubtful');

    select array_agg(x.message_id), array_agg(x.state), array_agg(x.code) into v_ended, v_states, v_codes
    from (
        select t.message_id,
               coalesce((array_agg(p.state order by p.state_at, p.part) filter (where p.state <> 'delivered'))[1],
                        'delivered') as state,
               (array_agg(p.code order by p.state = 'delivered', p.state_at, p.part))[1] as code
        from texts t
        join parts p on p.tenant_id = p_tenant and p.message_id = t.message_id and p.attempt = t.attempt
        where t.tenant_id = p_tenant and t.message_id = any (v_live) and t.state in ('sent', 'doubtful')
        group by t.message_id
        having bool_and(p.state in ('delivered', 'undelivered', 'failed', 'expired'))
    ) x;
    if v_ended is not null then
        perform end_texts(p_tenant, p_now, v_ended, v_states,
                          array_fill('unknown_error'::text, array[cardinality(v_ended)]), v_codes);
    end if;

    -- A receipt that comes after we stopped waiting for it: `sent` is the one end that a fact may still improve.
    if not v_live @> v_messages then
        perform from messages m join unnest(v_chats, v_messages) u (chat_id, message_id)
            on m.chat_id = u.chat_id and m.message_id = u.message_id
        where m.tenant_id = p_tenant and m.state = 'sent' order by m.message_id for no key update of m;

        update messages m set state = x.state, reason = coalesce(m.reason, x.reason), code = coalesce(m.code, x.code), ended_at = p_now
        from (
            select u.chat_id, u.message_id,
                   coalesce((array_agg(p.state order by p.state_at, p.part) filter (where p.state <> 'delivered'))[1],
                            'delivered') as state,
                   case when bool_or(p.state <> 'delivered') then max(u.reason) end as reason,
                   (array_agg(p.code order by p.state = 'delivered', p.state_at, p.part))[1] as code
            from (
                select chat_id, message_id, max(attempt) as attempt, min(reason) as reason
                from unnest(v_chats, v_messages, v_attempts, v_reasons) r (chat_id, message_id, attempt, reason)
                where message_id <> all (v_live) group by chat_id, message_id
            ) u
            join parts p on p.tenant_id = p_tenant and p.message_id = u.message_id and p.attempt = u.attempt
            group by u.chat_id, u.message_id
            having bool_and(p.state in ('delivered', 'undelivered', 'failed', 'expired'))
        ) x
        where m.tenant_id = p_tenant and m.chat_id = x.chat_id and m.message_id = x.message_id and m.state = 'sent';
    end if;
end $$;

-- Delivery reports of a carrier. Those for parts that are not known (yet) wait in orphan_receipts: the result counts
-- them. The carrier's row keeps them and the outcomes that would name these parts from passing each other unseen.
create function record_receipts(
    p_tenant bigint, p_carrier bigint, p_now timestamptz, p_ids text[], p_states text[], p_reasons text[], p_codes text[]
) returns int
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
declare
    v_orphans int := 0;
begin
    if exists (
        select from unnest(p_ids) u (id)
        left join parts p on p.tenant_id = p_tenant and p.carrier_id = p_carrier and p.carrier_part_id = u.id
        where p.part is null
    ) then
        perform from carriers c where c.tenant_id = p_tenant and c.carrier_id = p_carrier for no key update;
        insert into orphan_receipts (tenant_id, carrier_id, carrier_part_id, state, reason, code, at)
        select t.tenant_id, p_carrier, u.id, u.state, u.reason, u.code, p_now
        from tenants t cross join unnest(p_ids, p_states, p_reasons, p_codes) u (id, state, reason, code)
        left join parts p on p.tenant_id = p_tenant and p.carrier_id = p_carrier and p.carrier_part_id = u.id
        where t.tenant_id = p_tenant and p.part is null
        on conflict do nothing;
        get diagnostics v_orphans = row_count;
    end if;
    perform apply_receipts(p_tenant, p_carrier, p_now, p_ids, p_states, p_reasons, p_codes);
    return v_orphans;
end $$;

-- What became of attempts: `accepted`, `refused`, `unsent` or `doubtful` for each, and the carrier's names of the
-- parts that it answered for. An outcome counts for the attempt that it names and no other. The result says how many
-- counted.
create function record_outcomes(
    p_tenant bigint, p_carrier bigint, p_now timestamptz, p_ids bigint[], p_attempts smallint[], p_kinds text[],
    p_reasons text[], p_codes text[], p_retry_afters float8[],
    p_part_messages bigint[], p_part_attempts smallint[], p_part_numbers smallint[], p_part_ids text[]
) returns int
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
declare
    v_ids bigint[];
    v_attempts smallint[];
    v_kinds text[];
    v_reasons text[];
    v_codes text[];
    v_waits interval[];
    v_failed bigint[];
    v_row record;
begin
    perform from carriers c where c.tenant_id = p_tenant and c.carrier_id = p_carrier for share;
    perform from texts t
    where t.tenant_id = p_tenant and t.message_id = any (p_ids) and t.state in ('sending', 'doubtful')
    order by t.message_id for update;

    -- A refusal is tried again after a pause that doubles, at most 5 minutes, 20 times at most, while it is valid.
    select array_agg(x.message_id), array_agg(x.attempt), array_agg(x.kind), array_agg(x.reason), array_agg(x.code),
           array_agg(case when x.kind = 'refused' and x.refusals < 19 and p_now + x.wait < x.valid_until then x.wait end),
           array_agg(x.message_id) filter (
               where x.kind = 'refused' and (x.wait is null or x.refusals >= 19 or p_now + x.wait >= x.valid_until))
    into v_ids, v_attempts, v_kinds, v_reasons, v_codes, v_waits, v_failed
    from (
        select distinct on (t.message_id) t.message_id, t.attempt, t.refusals, t.valid_until, u.kind, u.reason, u.code,
               make_interval(secs => case when u.retry_after is not null
                   then least(greatest(u.retry_after, 0) * 2 ^ least(t.refusals, 8), 300) end) as wait
        from unnest(p_ids, p_attempts, p_kinds, p_reasons, p_codes, p_retry_afters) with ordinality
             u (id, attempt, kind, reason, code, retry_after, i)
        join texts t on t.tenant_id = p_tenant and t.message_id = u.id and t.attempt = u.attempt
        where t.state in ('sending', 'doubtful')
        order by t.message_id, u.kind = 'doubtful', u.i
    ) x;
    if v_ids is null then
        return 0;
    end if;

    update parts p set carrier_part_id = u.carrier_part_id, state = 'sent', state_at = p_now
    from unnest(p_part_messages, p_part_attempts, p_part_numbers, p_part_ids)
         u (message_id, attempt, part, carrier_part_id)
    where p.tenant_id = p_tenant and p.message_id = u.message_id and p.attempt = u.attempt and p.part = u.part
      and p.state = 'sending' and u.message_id = any (v_ids);

    if v_kinds && array['refused', 'unsent'] then
        update parts p set state = case u.kind when 'unsent' then 'unsent' else 'failed' end, code = u.code, state_at = p_now
        from unnest(v_ids, v_attempts, v_kinds, v_codes) u (message_id, attempt, kind, code)
        where p.tenant_id = p_tenant and p.message_id = u.message_id and p.attempt = u.attempt and p.state = 'sending'
          and u.kind in ('refused', 'unsent');
    end if;

    update texts t
    set state = case u.kind when 'accepted' then 'sent' when 'doubtful' then 'doubtful' else 'queued' end,
        node_id = null, state_at = p_now, due_at = coalesce(p_now + u.wait, t.due_at),
        refusals = t.refusals + case u.kind when 'refused' then 1 else 0 end, reason = u.reason, code = u.code
    from unnest(v_ids, v_kinds, v_reasons, v_codes, v_waits) u (message_id, kind, reason, code, wait)
    where t.tenant_id = p_tenant and t.message_id = u.message_id and (u.kind <> 'refused' or u.wait is not null);

    if v_failed is not null then
        select array_agg(u.message_id) as ids, array_agg('failed'::text) as states, array_agg(u.reason) as reasons,
               array_agg(u.code) as codes
        into v_row
        from unnest(v_ids, v_reasons, v_codes) u (message_id, reason, code) where u.message_id = any (v_failed);
        perform end_texts(p_tenant, p_now, v_row.ids, v_row.states, v_row.reasons, v_row.codes);
    end if;

    with waited as (
        delete from orphan_receipts o using unnest(p_part_messages, p_part_ids) u (message_id, id)
        where o.tenant_id = p_tenant and o.carrier_id = p_carrier and o.carrier_part_id = u.id
          and u.message_id = any (v_ids)
        returning o.*
    )
    select array_agg(carrier_part_id order by at) as ids, array_agg(state order by at) as states,
           array_agg(reason order by at) as reasons, array_agg(code order by at) as codes
    into v_row from waited;
    if v_row.ids is not null then
        perform apply_receipts(p_tenant, p_carrier, p_now, v_row.ids, v_row.states, v_row.reasons, v_row.codes);
    end if;
    return cardinality(v_ids);
end $$;

-- Ends what is queued to a number that has opted out. The result names the nodes (one for each text) that were told to
-- send one before: the rows are locked, so a claim in the making is waited for and counted.
create function end_opted_out(p_tenant bigint, p_number text, p_now timestamptz) returns bigint[]
language plpgsql
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
    v_ids bigint[];
    v_queued bigint[];
    v_nodes bigint[];
begin
    v_ids := array(
        select t.message_id from texts t
        where t.tenant_id = p_tenant and t.destination = p_number and t.kind <> 'confirmation'
        order by t.message_id for update
    );
    select array_agg(t.message_id) filter (where t.state = 'queued'),
           coalesce(array_agg(t.node_id) filter (where t.state = 'sending'), '{}')
    into v_queued, v_nodes
    from texts t where t.tenant_id = p_tenant and t.message_id = any (v_ids);
    if v_queued is not null then
        perform end_texts(p_tenant, p_now, v_queued, array_fill('failed'::text, array[cardinality(v_queued)]),
                          array_fill('opted_out'::text, array[cardinality(v_queued)]),
                          array_fill(null::text, array[cardinality(v_queued)]));
    end if;
    return coalesce(v_nodes, '{}');
end $$;

-- Texts that were sent before p_before and of which no final receipt came end as what is known of them: `sent`.
create function end_silent(p_tenant bigint, p_now timestamptz, p_before timestamptz, p_limit int) returns int
language plpgsql
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
    v_ids bigint[];
begin
    v_ids := array(
        select t.message_id from texts t
        where t.tenant_id = p_tenant and t.state = 'sent' and t.state_at < p_before
        order by t.message_id limit p_limit for update skip locked
    );
    if v_ids <> '{}' then
        perform end_texts(p_tenant, p_now, v_ids, array_fill('sent'::text, array[cardinality(v_ids)]),
                          array_fill(null::text, array[cardinality(v_ids)]),
                          array_fill(null::text, array[cardinality(v_ids)]));
    end if;
    return cardinality(v_ids);
end $$;

-- The octets of a part: a character may be cut in two between parts, and is whole only when they are joined.
alter table reply_parts add column encoding text not null default 'gsm7';
alter table reply_parts add column payload bytea not null default '';
