-- The accept statement: 1..N sends of one tenant in one call, each with its own outcome. Called outside a transaction
-- block, so that one round trip and one commit carry the whole group (docs/adr/0004-accept-in-groups.md).
--
-- Each send has five ids of its own from p_ids on: chat, message, end user's participant, agent's participant, end user.
-- Outcomes: accepted | appended | replayed, or the reason of a refusal, or 'again' where a chat closed between two
-- looks and the send is to be tried once more.
--
-- The plans must stay index look-ups however the tables grow after a session has prepared them, hence the settings.
create function accept_sends(
    p_tenant bigint, p_now timestamptz, p_expires timestamptz, p_valid_until timestamptz, p_append boolean,
    p_ids bigint[], p_end_user_numbers text[], p_outbound_numbers text[], p_bodies text[], p_encodings text[],
    p_parts smallint[], p_ticket_ids text[], p_agent_ids bigint[], p_credential_ids bigint[],
    p_keys text[], p_hashes bytea[]
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
    v_outcomes text[] := array_fill(null::text, array[cardinality(p_ids)]);
    v_answers bytea[] := array_fill(null::bytea, array[cardinality(p_ids)]);
    v_chats bigint[] := p_ids;
    v_end_users bigint[];
    v_carriers bigint[];
    v_identifiers text[];
    v_contacts text[];
    v_row record;
    v_key record;
begin
    -- 1. Keys. Whoever writes the key first goes on; the others wait for his commit and get his answer.
    if exists (select from unnest(p_keys) k where k is not null) then
        for v_row in
            with wanted as (
                select i, key, hash, id from unnest(p_keys, p_hashes, p_ids) with ordinality u (key, hash, id, i)
                where key is not null order by key
            ), written as (
                insert into idempotency_keys (tenant_id, key, request_sha256, message_id, created_at)
                select t.tenant_id, key, hash, id + 1, p_now from tenants t cross join wanted where t.tenant_id = p_tenant
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
    -- since he looked is caught here.
    select array_agg(coalesce(u.done, case
               when n.number is null then 'outbound_number_unknown'
               when u.agent_id is not null and (a.agent_id is null or a.disabled_at is not null) then 'agent_unknown'
               when b.number is not null then 'end_user_blocked'
               when o.number is not null then 'end_user_opted_out'
           end) order by u.i),
           array_agg(n.carrier_id order by u.i)
    into v_outcomes, v_carriers
    from unnest(v_outcomes, p_end_user_numbers, p_outbound_numbers, p_agent_ids) with ordinality
         u (done, end_user_number, outbound_number, agent_id, i)
    -- Each look-up is by the whole key: a plain join may read all rows of the tenant where there were few of them when
    -- the plan was made, and goes on doing so when there are a million.
    left join lateral (
        select n.number, n.carrier_id from numbers n where n.tenant_id = p_tenant and n.number = u.outbound_number offset 0
    ) n on true
    left join lateral (
        select a.agent_id, a.disabled_at from agents a where a.tenant_id = p_tenant and a.agent_id = u.agent_id offset 0
    ) a on true
    left join lateral (
        select b.number from blocked_numbers b where b.tenant_id = p_tenant and b.number = u.end_user_number offset 0
    ) b on true
    left join lateral (
        select o.number from opt_outs o where o.tenant_id = p_tenant and o.number = u.end_user_number offset 0
    ) o on true;

    -- 3. Consumers, in the order of their numbers so that two groups never wait for each other crosswise.
    insert into end_users (tenant_id, end_user_id, number, created_at)
    select t.tenant_id, u.id + 4, u.number, p_now
    from tenants t cross join (
        select distinct on (number) number, id from unnest(p_end_user_numbers, p_ids, v_outcomes) x (number, id, done)
        where done is null order by number
    ) u
    where t.tenant_id = p_tenant
    order by u.number
    on conflict do nothing;

    select array_agg(e.end_user_id order by u.i), array_agg(e.identifier order by u.i),
           array_agg(e.out_contact_id order by u.i)
    into v_end_users, v_identifiers, v_contacts
    from unnest(p_end_user_numbers) with ordinality u (number, i)
    left join lateral (
        select e.end_user_id, e.identifier, e.out_contact_id from end_users e
        where e.tenant_id = p_tenant and e.number = u.number offset 0
    ) e on true;

    -- 4. Sessions: the unique index lets one open chat for each consumer through.
    with opened as (
        insert into chats (tenant_id, chat_id, end_user_id, outbound_number, direction, status, created_at,
                           assigned_at, expires_at, agent_id, ticket_id)
        select t.tenant_id, u.id, u.end_user_id, u.outbound_number, 'outbound',
               case when u.agent_id is null then 'selecting' else 'assigned' end, p_now,
               case when u.agent_id is not null then p_now end, p_expires, u.agent_id, u.ticket_id
        from tenants t cross join unnest(p_ids, v_end_users, p_outbound_numbers, p_agent_ids, p_ticket_ids, v_outcomes)
             u (id, end_user_id, outbound_number, agent_id, ticket_id, done)
        where t.tenant_id = p_tenant and u.done is null
        order by u.end_user_id, u.id
        on conflict (tenant_id, end_user_id) where ends_at is null do nothing
        returning chat_id
    )
    select array_agg(coalesce(u.done, case when o.chat_id is not null then 'accepted' end) order by u.i)
    into v_outcomes
    from unnest(v_outcomes, p_ids) with ordinality u (done, id, i) left join opened o on o.chat_id = u.id;

    if array_position(v_outcomes, null) is not null then
        for v_row in
            select u.i, u.outbound_number, u.agent_id, c.chat_id, c.outbound_number as open_number, c.agent_id as open_agent
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
            if v_row.agent_id is not null then
                update chats c set status = 'assigned', agent_id = v_row.agent_id, assigned_at = p_now
                where c.tenant_id = p_tenant and c.chat_id = v_row.chat_id and c.agent_id is null;
                if found then
                    insert into participants (tenant_id, chat_id, participant_id, type, user_id, connected_at)
                    values (p_tenant, v_row.chat_id, p_ids[v_row.i] + 3, 'agent', v_row.agent_id, p_now);
                end if;
            end if;
        end loop;
    end if;

    -- 5. Everything that follows from an accepted send.
    insert into participants (tenant_id, chat_id, participant_id, type, user_id, end_user_id, connected_at)
    select t.tenant_id, u.id, u.id + 2 + s.n, case s.n when 0 then 'end_user' else 'agent' end,
           case s.n when 1 then u.agent_id end, case s.n when 0 then u.end_user_id end, p_now
    from tenants t cross join unnest(p_ids, v_end_users, p_agent_ids, v_outcomes) u (id, end_user_id, agent_id, done)
    cross join generate_series(0, 1) s (n)
    where t.tenant_id = p_tenant and u.done = 'accepted' and (s.n = 0 or u.agent_id is not null);

    insert into messages (tenant_id, chat_id, message_id, sender, agent_id, credential_id, body, encoding, parts, created_at)
    select t.tenant_id, u.chat_id, u.id + 1, case when u.agent_id is null then 'api' else 'agent' end, u.agent_id, u.credential_id, u.body, u.encoding, u.parts, p_now
    from tenants t
    cross join unnest(p_ids, v_chats, p_agent_ids, p_credential_ids, p_bodies, p_encodings, p_parts, v_outcomes)
         u (id, chat_id, agent_id, credential_id, body, encoding, parts, done)
    where t.tenant_id = p_tenant and u.done in ('accepted', 'appended');

    insert into texts (tenant_id, message_id, chat_id, carrier_id, kind, source, destination, state, due_at,
                       valid_until, state_at)
    select t.tenant_id, u.id + 1, u.chat_id, u.carrier_id, 'notice', u.outbound_number, u.number, 'queued', p_now,
           p_valid_until, p_now
    from tenants t
    cross join unnest(p_ids, v_chats, v_carriers, p_outbound_numbers, p_end_user_numbers, v_outcomes)
         u (id, chat_id, carrier_id, outbound_number, number, done)
    where t.tenant_id = p_tenant and u.done in ('accepted', 'appended');

    -- 6. A refused send leaves no key behind: the caller may try again under it.
    if exists (select from unnest(p_keys) k where k is not null) then
        delete from idempotency_keys k
        using unnest(p_keys, p_ids, v_outcomes) u (key, id, done)
        where k.tenant_id = p_tenant and k.key = u.key and k.message_id = u.id + 1
          and u.done not in ('accepted', 'appended');
    end if;

    return query select u.i::int, u.done, u.chat_id, u.id + 1, u.end_user_id, u.identifier, u.contact, u.answer
    from unnest(v_outcomes, v_chats, p_ids, v_end_users, v_identifiers, v_contacts, v_answers) with ordinality
         u (done, chat_id, id, end_user_id, identifier, contact, answer, i);
end $$;
