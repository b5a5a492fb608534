-- Delivery and the way back: one-tenant functions with arrays, each called outside a transaction block.
--
-- Whoever changes a text locks its row first, rows in the order of message_id, and a carrier's row before any text's.
-- domain/text_state.py holds the table of legal moves that these functions obey; tests/store/test_text_moves.py runs
-- every order of events against both.
--
-- A session plans these statements once, perhaps while the tables are empty and nothing is known of them, and must
-- still look rows up by key when there are millions: hence the settings, the loops, and `lateral (... offset 0)`, which
-- leave the planner no other way. Plain joins with the arrays read all of the tenant's rows.

-- Refused attempts of this text. `attempt` also counts those that did not leave.
alter table texts add column refusals smallint not null default 0;

-- When it was known that nothing claimed before the revocation was still to leave; `at` is when it began to block.
alter table opt_outs add column quiet_at timestamptz;

-- Whether a session went on working after a reply of it was taken in.
create index received_by_session on received (tenant_id, carrier_id, session, at);

-- Takes texts out of flight and writes their end onto the messages. The first failure keeps its reason; why a queued
-- text was refused before is no such reason. Like judge_parts and apply_receipts it is called by the others here, and
-- runs under their settings.
create function end_texts(
    p_tenant bigint, p_now timestamptz, p_ids bigint[], p_states text[], p_reasons text[], p_codes text[]
) returns void
language plpgsql
as $$
declare
    v_text record;
    v_first boolean;
begin
    for i in 1..coalesce(cardinality(p_ids), 0) loop
        delete from texts t where t.tenant_id = p_tenant and t.message_id = p_ids[i]
        returning t.chat_id, t.state, t.reason, t.code into v_text;
        continue when not found;
        v_first := p_states[i] <> 'delivered' and v_text.state <> 'queued' and v_text.reason is not null;
        update messages m
        set state = p_states[i], ended_at = p_now,
            reason = case when v_first then v_text.reason when p_states[i] <> 'delivered' then p_reasons[i] end,
            code = case when v_first then v_text.code else p_codes[i] end
        where m.tenant_id = p_tenant and m.chat_id = v_text.chat_id and m.message_id = p_ids[i];
    end loop;
end $$;

-- Texts to send, first due first: they and their parts are `sending` under this node before a byte leaves. Those past
-- their time and those whose receiver has opted out end here instead; a confirmation of STOP is the exception.
create function claim_texts(p_tenant bigint, p_carrier bigint, p_limit int, p_node bigint, p_now timestamptz)
returns table (message_id bigint, attempt smallint, source text, destination text, body text, encoding text,
               parts smallint, valid_until timestamptz)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
set enable_sort = off
as $$
#variable_conflict use_column
declare
    v_ids bigint[];
    v_ended bigint[];
    v_states text[];
    v_reasons text[];
begin
    -- Rounds, so that a crowd of texts past their time does not hide the others. Bounded, so that a call stays short.
    for round in 1..25 loop
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
        from unnest(v_ids) u (id)
        cross join lateral (
            select t.message_id, t.destination, t.kind, t.valid_until from texts t
            where t.tenant_id = p_tenant and t.message_id = u.id offset 0
        ) t
        left join lateral (
            select o.number from opt_outs o where o.tenant_id = p_tenant and o.number = t.destination offset 0
        ) o on true
        where t.valid_until <= p_now or (o.number is not null and t.kind <> 'confirmation');
        exit when v_ended is null;
        perform end_texts(p_tenant, p_now, v_ended, v_states, v_reasons, null);
        v_ids := array(select id from unnest(v_ids) id where id <> all (v_ended));
        exit when v_ids <> '{}';
    end loop;

    for i in 1..cardinality(v_ids) loop
        update texts set state = 'sending', node_id = p_node, attempt = attempt + 1, state_at = p_now, reason = null,
                         code = null
        where tenant_id = p_tenant and message_id = v_ids[i];
    end loop;

    insert into parts (tenant_id, message_id, attempt, part, chat_id, carrier_id, state, claimed_at, state_at)
    select t.tenant_id, t.message_id, t.attempt, n, t.chat_id, p_carrier, 'sending', p_now, p_now
    from unnest(v_ids) u (id)
    cross join lateral (
        select t.tenant_id, t.message_id, t.attempt, t.chat_id from texts t
        where t.tenant_id = p_tenant and t.message_id = u.id offset 0
    ) t
    cross join lateral (
        select m.parts from messages m
        where m.tenant_id = p_tenant and m.chat_id = t.chat_id and m.message_id = t.message_id offset 0
    ) m
    cross join generate_series(1, m.parts) n;

    return query
    select t.message_id, t.attempt, t.source, t.destination, m.body, m.encoding, m.parts, t.valid_until
    from unnest(v_ids) with ordinality u (id, i)
    cross join lateral (select * from texts t where t.tenant_id = p_tenant and t.message_id = u.id offset 0) t
    cross join lateral (
        select m.body, m.encoding, m.parts from messages m
        where m.tenant_id = p_tenant and m.chat_id = t.chat_id and m.message_id = t.message_id offset 0
    ) m
    order by u.i;
end $$;

-- How a text ends whose parts have all ended: as delivered when all have arrived, else as the first that did not.
-- No row while a part is open.
create function judge_parts(p_tenant bigint, p_message bigint, p_attempt smallint)
returns table (state text, code text)
language plpgsql
as $$
#variable_conflict use_column
begin
    return query
    select coalesce((array_agg(p.state order by p.state_at, p.part) filter (where p.state <> 'delivered'))[1],
                    'delivered'),
           (array_agg(p.code order by p.state = 'delivered', p.state_at, p.part))[1]
    from parts p where p.tenant_id = p_tenant and p.message_id = p_message and p.attempt = p_attempt
    having bool_and(p.state in ('delivered', 'undelivered', 'failed', 'expired'));
end $$;

-- What receipts say about parts that are known. A part's first end stays.
create function apply_receipts(
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
            select p.* from parts p
            where p.tenant_id = p_tenant and p.carrier_id = p_carrier and p.carrier_part_id = u.id
            order by p.claimed_at desc limit 1
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

-- Delivery reports of a carrier. Those for parts that are not known (yet) wait in orphan_receipts: the result counts
-- them. The carrier's row keeps them and the outcomes that would name these parts from passing each other unseen.
create function record_receipts(
    p_tenant bigint, p_carrier bigint, p_now timestamptz,
    p_ids text[], p_states text[], p_reasons text[], p_codes text[], p_numbers text[], p_references int[]
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
        insert into orphan_receipts (tenant_id, carrier_id, carrier_part_id, state, reason, code, number, reference, at)
        select t.tenant_id, p_carrier, u.id, u.state, u.reason, u.code, u.number, u.reference, p_now
        from tenants t cross join unnest(p_ids, p_states, p_reasons, p_codes, p_numbers, p_references)
             u (id, state, reason, code, number, reference)
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

-- What became of attempts: `accepted`, `refused`, `unsent` or `doubtful` for each, and the carrier's names of the
-- parts that it answered for. An outcome counts for the attempt that it names and no other. The result says how many
-- counted.
create function record_outcomes(
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
            v_wait := case
                when p_retry_afters[i] is null then null
                when p_reasons[i] <> 'queue_full'
                    then make_interval(secs => least(p_retry_afters[i] * 2 ^ least(v_refusals[n], 8), 300))
                when v_refusals[n] < 10 then interval '0'
                else make_interval(secs => least(p_retry_afters[i] * 2 ^ least(v_refusals[n] - 10, 8), 30)) end;
            if v_wait is null or (v_refusals[n] >= 19 and p_reasons[i] <> 'queue_full')
               or p_now + v_wait >= v_valid[n] then
                perform end_texts(p_tenant, p_now, array[p_ids[i]], array['failed'], array[p_reasons[i]],
                                  array[p_codes[i]]);
                continue;
            end if;
        end if;
        update texts t
        set state = case p_kinds[i] when 'accepted' then 'sent' when 'doubtful' then 'doubtful' else 'queued' end,
            node_id = null, state_at = p_now, due_at = coalesce(p_now + nullif(v_wait, interval '0'), t.due_at),
            refusals = t.refusals + case p_kinds[i] when 'refused' then 1 else 0 end,
            reason = p_reasons[i], code = p_codes[i]
        where t.tenant_id = p_tenant and t.message_id = p_ids[i];
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

-- Doubtful texts whose receipts wait among those that nobody could place. A receipt is a text's by the reference that the
-- text was sent with; where the carrier gives none back, only if no other text to that phone is on its way over this
-- carrier. The parts without a name get the names in the order in which the receipts came. The result counts receipts.
create function resolve_doubtful(p_tenant bigint, p_carrier bigint, p_now timestamptz, p_limit int) returns int
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
    v_id bigint;
    v_text record;
    v_open smallint[];
    v_alone boolean;
    v_found record;
    v_names text[];
    v_placed int := 0;
begin
    perform from carriers c where c.tenant_id = p_tenant and c.carrier_id = p_carrier for no key update;
    for v_id in
        select x.message_id from (
            select t.message_id from texts t
            where t.tenant_id = p_tenant and t.carrier_id = p_carrier and t.state = 'doubtful'
              -- Those that no receipt waits for would hide the others for as long as nobody settles them.
              and exists (
                  select from orphan_receipts o
                  where o.tenant_id = p_tenant and o.carrier_id = p_carrier and o.number = t.destination
                    and (o.reference is null or o.reference = t.message_id & 65535)
              )
            order by t.state_at limit p_limit
        ) x order by x.message_id
    loop
        select t.destination, t.attempt, t.state into v_text from texts t
        where t.tenant_id = p_tenant and t.message_id = v_id for update;
        continue when not found or v_text.state <> 'doubtful';
        v_open := array(
            select p.part from parts p
            where p.tenant_id = p_tenant and p.message_id = v_id and p.attempt = v_text.attempt
              and p.carrier_part_id is null and p.state = 'sending' order by p.part
        );
        continue when v_open = '{}';
        v_alone := not exists (
            select from texts o
            where o.tenant_id = p_tenant and o.destination = v_text.destination and o.destination > ''
              and o.carrier_id = p_carrier
              and o.message_id <> v_id and o.state in ('sending', 'sent', 'doubtful')
        );
        select array_agg(x.carrier_part_id) as ids, array_agg(x.state) as states, array_agg(x.reason) as reasons,
               array_agg(x.code) as codes
        into v_found
        from (
            select o.* from orphan_receipts o
            where o.tenant_id = p_tenant and o.carrier_id = p_carrier and o.number = v_text.destination
              and (o.reference = v_id & 65535 or (o.reference is null and v_alone))
              and o.at >= (select min(p.claimed_at) from parts p
                           where p.tenant_id = p_tenant and p.message_id = v_id and p.attempt = v_text.attempt)
            order by o.at, o.carrier_part_id
        ) x;
        continue when v_found.ids is null;

        v_names := array(
            select u.id from unnest(v_found.ids) with ordinality u (id, i) group by u.id order by min(u.i)
            limit cardinality(v_open)
        );
        for n in 1..cardinality(v_names) loop
            update parts p set carrier_part_id = v_names[n], state = 'sent', state_at = p_now
            where p.tenant_id = p_tenant and p.message_id = v_id and p.attempt = v_text.attempt and p.part = v_open[n];
            delete from orphan_receipts o
            where o.tenant_id = p_tenant and o.carrier_id = p_carrier and o.carrier_part_id = v_names[n];
        end loop;
        perform apply_receipts(p_tenant, p_carrier, p_now, v_found.ids, v_found.states, v_found.reasons, v_found.codes);
        v_placed := v_placed + cardinality(v_names);
    end loop;
    return v_placed;
end $$;

-- Ends what is queued to a number that has opted out. The result names the nodes (one for each text) that were told to
-- send one before: the rows are locked, so a claim in the making is waited for and counted.
create function end_opted_out(p_tenant bigint, p_number text, p_now timestamptz) returns bigint[]
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
    v_id bigint;
    v_text record;
    v_queued bigint[] := '{}';
    v_nodes bigint[] := '{}';
begin
    for v_id in
        select x.message_id from (
            select t.message_id from texts t
            where t.tenant_id = p_tenant and t.destination = p_number and t.destination > '' offset 0
        ) x order by x.message_id
    loop
        select t.state, t.kind, t.node_id into v_text from texts t
        where t.tenant_id = p_tenant and t.message_id = v_id for update;
        continue when not found or v_text.kind = 'confirmation';
        if v_text.state = 'queued' then
            v_queued := v_queued || v_id;
        elsif v_text.state = 'sending' then
            v_nodes := v_nodes || v_text.node_id;
        end if;
    end loop;
    if v_queued <> '{}' then
        perform end_texts(p_tenant, p_now, v_queued, array_fill('failed'::text, array[cardinality(v_queued)]),
                          array_fill('opted_out'::text, array[cardinality(v_queued)]), null);
    end if;
    return v_nodes;
end $$;

-- Texts that were sent before p_before and of which no final receipt came end as what is known of them: `sent`.
create function end_silent(p_tenant bigint, p_now timestamptz, p_before timestamptz, p_limit int) returns int
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
as $$
declare v_ids bigint[];
begin
    v_ids := array(
        select t.message_id from texts t
        where t.tenant_id = p_tenant and t.state = 'sent' and t.state_at < p_before
        order by t.state_at limit p_limit for update skip locked
    );
    perform end_texts(p_tenant, p_now, v_ids, array_fill('sent'::text, array[cardinality(v_ids)]), null, null);
    return cardinality(v_ids);
end $$;

-- Texts whose time is over end, whether or not their line ever claims again: one that is down or unusable does not.
create function end_expired(p_tenant bigint, p_now timestamptz, p_limit int) returns int
language plpgsql
as $$
declare v_ids bigint[];
begin
    v_ids := array(
        select t.message_id from texts t
        where t.tenant_id = p_tenant and t.state = 'queued' and t.valid_until <= p_now
        limit p_limit for update skip locked
    );
    perform end_texts(p_tenant, p_now, v_ids, array_fill('expired'::text, array[cardinality(v_ids)]),
                      array_fill('expired_here'::text, array[cardinality(v_ids)]), null);
    return cardinality(v_ids);
end $$;

-- The octets of a part: a character may be cut in two between parts, and is whole only when they are joined.
alter table reply_parts add column encoding text not null default 'gsm7';
alter table reply_parts add column payload bytea not null default '';
