-- The accept statement without `on conflict`, which asked each unique index once more for each row and wrote a second
-- time that the row stands: who is known and who has an open chat is read beforehand with the other facts. Two groups
-- that are first with one consumer at the same moment meet at the unique index: the second is run again, and finds him
-- (store/sends.py, docs/adr/0031-what-a-session-costs.md).
create or replace function accept_sends(
    p_tenant bigint, p_now timestamptz, p_expires timestamptz, p_valid_until timestamptz, p_append boolean,
    p_ids bigint[], p_end_user_numbers text[], p_outbound_numbers text[], p_bodies text[], p_encodings text[],
    p_parts smallint[], p_ticket_ids text[], p_agent_ids bigint[], p_credential_ids bigint[],
    p_keys text[], p_hashes bytea[], p_on_doubts text[], p_due_ats timestamptz[], p_crm boolean
) returns table (ordinal int, outcome text, chat_id bigint, message_id bigint, end_user_id bigint,
                 identifier text, out_contact_id text, answer bytea)
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
    v_outcomes text[];
    v_answers bytea[];
    v_chats bigint[] := p_ids;
    v_end_users bigint[];
    v_open boolean[];
    v_carriers bigint[];
    v_left bigint[];
    v_whys text[];
    v_identifiers text[];
    v_contacts text[];
    v_wanted int;
    v_done int;
    v_keyed boolean := array_remove(p_keys, null) <> '{}';
    v_row record;
    v_key record;
begin
    -- 1. Keys. Whoever writes the key first goes on; the others wait for his commit and get his answer.
    if v_keyed then
        v_outcomes := array_fill(null::text, array[cardinality(p_ids)]);
        v_answers := array_fill(null::bytea, array[cardinality(p_ids)]);
        for v_row in
            with wanted as (
                select i, key, hash, id from unnest(p_keys, p_hashes, p_ids) with ordinality u (key, hash, id, i)
                where key is not null order by key
            ), written as (
                insert into idempotency_keys (tenant_id, key, request_sha256, message_id, created_at)
                select t.tenant_id, key, hash, id + 1, p_now from tenants t cross join wanted
                where t.tenant_id = p_tenant
                on conflict do nothing returning message_id
            )
            select i, key, hash from wanted left join written w on w.message_id = wanted.id + 1
            where w.message_id is null
        loop
            select * into v_key from idempotency_keys k where k.tenant_id = p_tenant and k.key = v_row.key;
            if v_key.request_sha256 = v_row.hash then
                v_outcomes[v_row.i] := 'replayed';
                v_answers[v_row.i] := v_key.answer;
            else
                v_outcomes[v_row.i] := 'idempotency_mismatch';
            end if;
        end loop;
    end if;

    -- 2. The facts that decide, in the order of the checks. The agent and number checks are the caller's; what changed
    -- since he looked is caught here. A consumer whom nobody knows yet gets the id that is kept for him. Each look-up
    -- is by the whole key: a plain join may read all rows of the tenant where there were few of them when the plan was
    -- made, and goes on doing so when there are a million. A phone is asked for as a range in order: for one that is
    -- equal, the primary key's first column looks as good as its own index to who has seen the table empty. So with the
    -- consumer of an open chat.
    select array_agg(x.done), array_agg(x.carrier_id), array_agg(x.left_id), array_agg(x.why),
           array_agg(coalesce(x.end_user_id, case when x.done is null then x.id + 4 end)),
           array_agg(x.identifier), array_agg(x.out_contact_id), array_agg(x.open),
           count(*) filter (where x.done is null and x.end_user_id is null)
    into v_outcomes, v_carriers, v_left, v_whys, v_end_users, v_identifiers, v_contacts, v_open, v_wanted
    from (
        select u.id, coalesce(v_outcomes[u.i], case
                   when n.number is null then 'outbound_number_unknown'
                   when p_agent_ids[u.i] is not null and (a.agent_id is null or a.disabled_at is not null)
                       then 'agent_unknown'
                   when b.found then 'end_user_blocked'
                   when o.found then 'end_user_opted_out'
                   when h.found then 'consent_in_doubt'
               end) as done,
               coalesce(n.current_carrier_id, n.carrier_id) as carrier_id,
               case when n.current_carrier_id is not null then n.carrier_id end as left_id, n.current_why as why,
               e.end_user_id, e.identifier, e.out_contact_id, c.found as open
        from unnest(p_ids) with ordinality u (id, i)
        left join lateral (
            select n.number, n.carrier_id, n.current_carrier_id, n.current_why from numbers n
            where n.tenant_id = p_tenant and n.number = p_outbound_numbers[u.i] offset 0
        ) n on true
        left join lateral (
            select a.agent_id, a.disabled_at from agents a
            where a.tenant_id = p_tenant and a.agent_id = p_agent_ids[u.i] offset 0
        ) a on true
        left join lateral (
            select true as found from blocked_numbers b
            where b.tenant_id = p_tenant and b.number = p_end_user_numbers[u.i] offset 0
        ) b on true
        left join lateral (
            select true as found from opt_outs_between(p_tenant, p_end_user_numbers[u.i], p_outbound_numbers[u.i])
            limit 1
        ) o on true
        left join lateral (
            select true as found from hold_between(p_tenant, p_end_user_numbers[u.i], p_outbound_numbers[u.i])
            limit 1
        ) h on true
        left join lateral (
            select e.end_user_id, e.identifier, e.out_contact_id from end_users e
            where e.tenant_id = p_tenant and e.number >= p_end_user_numbers[u.i]
              and e.number <= p_end_user_numbers[u.i] and e.number > ''
            order by e.number limit 1
        ) e on true
        left join lateral (
            select true as found from chats c
            where c.tenant_id = p_tenant and c.end_user_id >= e.end_user_id and c.end_user_id <= e.end_user_id
              and c.ends_at is null
            order by c.end_user_id limit 1
        ) c on true
        order by u.i offset 0
    ) x;

    -- 3. New consumers, in the order of their numbers so that two groups never wait for each other crosswise. That of
    -- another group, whose commit this one waits for, is an error: it is run again.
    if v_wanted > 0 then
        insert into end_users (tenant_id, end_user_id, number, created_at)
        select distinct on (p_end_user_numbers[u.i]) t.tenant_id, u.id + 4, p_end_user_numbers[u.i], p_now
        from tenants t cross join unnest(p_ids) with ordinality u (id, i)
        where t.tenant_id = p_tenant and v_outcomes[u.i] is null and v_end_users[u.i] = u.id + 4
        order by p_end_user_numbers[u.i], u.id;
        get diagnostics v_done = row_count;
        -- Two sends to one phone: the ids are looked up.
        if v_done < v_wanted then
            select array_agg(x.end_user_id), array_agg(x.identifier), array_agg(x.out_contact_id)
            into v_end_users, v_identifiers, v_contacts
            from (
                select e.* from unnest(p_end_user_numbers) with ordinality u (number, i)
                left join lateral (
                    select e.end_user_id, e.identifier, e.out_contact_id from end_users e
                    where e.tenant_id = p_tenant and e.number >= u.number and e.number <= u.number and e.number > ''
                    order by e.number limit 1
                ) e on true
                order by u.i offset 0
            ) x;
        end if;
    end if;

    -- 4. Sessions, one for each consumer who has none; of another group's the unique index tells.
    v_wanted := cardinality(p_ids) - cardinality(array_remove(v_outcomes, null));
    insert into chats (tenant_id, chat_id, end_user_id, outbound_number, direction, status, created_at,
                       assigned_at, expires_at, agent_id, ticket_id)
    select distinct on (v_end_users[u.i]) t.tenant_id, u.id, v_end_users[u.i], p_outbound_numbers[u.i], 'outbound',
           case when p_agent_ids[u.i] is null then 'selecting' else 'assigned' end, p_now,
           case when p_agent_ids[u.i] is not null then p_now end,
           p_expires + (coalesce(p_due_ats[u.i], p_now) - p_now), p_agent_ids[u.i], p_ticket_ids[u.i]
    from tenants t cross join unnest(p_ids) with ordinality u (id, i)
    where t.tenant_id = p_tenant and v_outcomes[u.i] is null and v_open[u.i] is not true
    order by v_end_users[u.i], u.id;
    get diagnostics v_done = row_count;
    if v_done = v_wanted then
        v_outcomes := array_replace(v_outcomes, null, 'accepted');
    else
        select array_agg(x.done) into v_outcomes
        from (
            select coalesce(v_outcomes[u.i], c.done) as done from unnest(p_ids) with ordinality u (id, i)
            left join lateral (
                select 'accepted' as done from chats c where c.tenant_id = p_tenant and c.chat_id = u.id offset 0
            ) c on true
            order by u.i offset 0
        ) x;
        for v_row in
            select u.i, u.outbound_number, u.agent_id, c.chat_id, c.outbound_number as open_number,
                   c.agent_id as open_agent, c.queue_id as open_queue
            from unnest(v_outcomes, v_end_users, p_outbound_numbers, p_agent_ids) with ordinality
                 u (done, end_user_id, outbound_number, agent_id, i)
            left join lateral (
                select * from chats c
                where c.tenant_id = p_tenant and c.end_user_id = u.end_user_id and c.ends_at is null
                for no key update
            ) c on true
            where u.done is null order by u.end_user_id
        loop
            v_chats[v_row.i] := v_row.chat_id;
            v_outcomes[v_row.i] := case
                when v_row.chat_id is null then 'again'
                when p_append then 'appended'
                when v_row.agent_id = v_row.open_agent and v_row.outbound_number = v_row.open_number then 'appended'
                else 'active_session' end;
            continue when v_outcomes[v_row.i] is distinct from 'appended';
            -- As in a new chat: the ticket is kept, and the agent who is named gets the chat, where nobody has it.
            if p_ticket_ids[v_row.i] is not null then
                update chats c set ticket_id = p_ticket_ids[v_row.i]
                where c.tenant_id = p_tenant and c.chat_id = v_row.chat_id and c.ticket_id is null;
            end if;
            if v_row.agent_id is not null and v_row.open_agent is null then
                perform move_chat(p_tenant, v_row.chat_id, 'assigned', v_row.agent_id, v_row.open_queue, null, null,
                                  p_ids[v_row.i] + 3, p_now);
            end if;
            if v_row.agent_id is not null and v_row.agent_id = coalesce(v_row.open_agent, v_row.agent_id) then
                perform agent_spoke(p_tenant, v_row.chat_id, p_now);
            end if;
        end loop;
    end if;

    -- 5. Everything that follows from an accepted send.
    insert into participants (tenant_id, chat_id, participant_id, type, end_user_id, connected_at)
    select t.tenant_id, u.id, u.id + 2, 'end_user', v_end_users[u.i], p_now
    from tenants t cross join unnest(p_ids) with ordinality u (id, i)
    where t.tenant_id = p_tenant and v_outcomes[u.i] = 'accepted';
    if array_remove(p_agent_ids, null) <> '{}' then
        insert into participants (tenant_id, chat_id, participant_id, type, user_id, connected_at)
        select t.tenant_id, u.id, u.id + 3, 'agent', p_agent_ids[u.i], p_now
        from tenants t cross join unnest(p_ids) with ordinality u (id, i)
        where t.tenant_id = p_tenant and v_outcomes[u.i] = 'accepted' and p_agent_ids[u.i] is not null;
    end if;

    insert into messages (tenant_id, chat_id, message_id, sender, agent_id, credential_id, body, encoding, parts,
                          on_doubt, created_at)
    select t.tenant_id, v_chats[u.i], u.id + 1, case when p_agent_ids[u.i] is null then 'api' else 'agent' end,
           p_agent_ids[u.i], p_credential_ids[u.i], p_bodies[u.i], p_encodings[u.i], p_parts[u.i],
           nullif(p_on_doubts[u.i], 'hold'), p_now
    from tenants t cross join unnest(p_ids) with ordinality u (id, i)
    where t.tenant_id = p_tenant and v_outcomes[u.i] in ('accepted', 'appended');

    insert into texts (tenant_id, message_id, chat_id, carrier_id, kind, source, destination, state, due_at,
                       valid_until, state_at, queued_at, parts, on_doubt, hops)
    select t.tenant_id, u.id + 1, v_chats[u.i], v_carriers[u.i], 'notice', p_outbound_numbers[u.i],
           p_end_user_numbers[u.i], 'queued', coalesce(p_due_ats[u.i], p_now),
           p_valid_until + (coalesce(p_due_ats[u.i], p_now) - p_now), p_now, p_now, p_parts[u.i], p_on_doubts[u.i],
           case when v_left[u.i] is null then 0 else 1 end
    from tenants t cross join unnest(p_ids) with ordinality u (id, i)
    where t.tenant_id = p_tenant and v_outcomes[u.i] in ('accepted', 'appended');

    if array_remove(v_left, null) <> '{}' then
        insert into moves (tenant_id, message_id, at, from_carrier_id, to_carrier_id, why)
        select t.tenant_id, u.id + 1, p_now, v_left[u.i], v_carriers[u.i], v_whys[u.i]
        from tenants t cross join unnest(p_ids) with ordinality u (id, i)
        where t.tenant_id = p_tenant and v_left[u.i] is not null and v_outcomes[u.i] in ('accepted', 'appended');
    end if;

    if p_crm and array_remove(p_ticket_ids, null) <> '{}' then
        insert into crm_jobs (tenant_id, job_id, chat_id, kind, due_at, created_at)
        select t.tenant_id, u.id + 1, v_chats[u.i], 'link', p_now, p_now
        from tenants t cross join unnest(p_ids) with ordinality u (id, i)
        where t.tenant_id = p_tenant and p_ticket_ids[u.i] is not null
          and v_outcomes[u.i] in ('accepted', 'appended');
    end if;

    -- 6. A refused send leaves no key behind: the caller may try again under it.
    if v_keyed then
        delete from idempotency_keys k
        using unnest(p_keys, p_ids, v_outcomes) u (key, id, done)
        where k.tenant_id = p_tenant and k.key = u.key and k.message_id = u.id + 1
          and u.done not in ('accepted', 'appended');
    end if;

    return query
    select u.i::int, v_outcomes[u.i], v_chats[u.i], u.id + 1, v_end_users[u.i], v_identifiers[u.i], v_contacts[u.i],
           v_answers[u.i]
    from unnest(p_ids) with ordinality u (id, i);
end $$;
