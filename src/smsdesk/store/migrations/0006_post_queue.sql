-- The queue: what the older version's functions do not know of, so that they are replaced (hence `post`).

-- `hold`: a text of which nobody knows whether it left waits for a receipt or a person; `resend`: it is sent again.
alter table messages add column on_doubt text check (on_doubt = 'resend');
alter table texts
    add column on_doubt text not null default 'hold' check (on_doubt in ('hold', 'resend')),
    -- How often it was sent again out of doubt, and how often it left its number's own carrier for another.
    add column resends smallint not null default 0,
    add column hops smallint not null default 0,
    add column parts smallint not null default 1,
    -- When it came into the queue first: the order of the texts between two numbers, whatever is tried again.
    add column queued_at timestamptz not null default now(),
    -- 0 a confirmation, 1 an answer of a person, 2 a notice. A notice that an answer to the same phone waits behind
    -- becomes as urgent as that.
    add column priority smallint not null default 2;

update texts t set queued_at = m.created_at, parts = m.parts,
                   priority = case t.kind when 'confirmation' then 0 when 'answer' then 1 else 2 end
from messages m where m.tenant_id = t.tenant_id and m.chat_id = t.chat_id and m.message_id = t.message_id;

drop index texts_due;
create index texts_queue on texts (tenant_id, carrier_id, priority, due_at, message_id) where state = 'queued';
create index texts_queue_by_source on texts (tenant_id, carrier_id, source, priority, due_at, message_id)
    where state = 'queued';
create index texts_expiring on texts (tenant_id, valid_until) where state = 'queued';
-- By carrier: those of one that sends no receipts, three days of them, would hide those of another.
drop index texts_waiting;
create index texts_silent on texts (tenant_id, carrier_id, state_at) where state = 'sent';

-- The reason why a number's texts go to another carrier than its own.
alter table numbers add column current_why text;
-- Every node asks for these every second, across all tenants.
create index numbers_astray on numbers (tenant_id) where current_carrier_id is not null;

-- Which node keeps a tenant's limits: one at a time, so that they hold across all nodes.
create table pacers (
    tenant_id bigint primary key references tenants,
    node_id bigint not null
);

-- What was let go under limits, by minute: what a node that takes over has to count.
create table paced (
    tenant_id bigint not null,
    carrier_id bigint not null,
    source text not null,
    minute timestamptz not null,
    segments bigint not null,
    primary key (tenant_id, carrier_id, source, minute)
);

-- Lines that cannot be trusted with texts, as the node sees it that has the line.
create table sick_lines (
    tenant_id bigint not null,
    carrier_id bigint not null,
    node_id bigint not null,
    since timestamptz not null,
    why text not null,
    primary key (tenant_id, carrier_id, node_id)
);

drop function accept_sends(bigint, timestamptz, timestamptz, timestamptz, boolean, bigint[], text[], text[], text[], text[],
                           smallint[], text[], bigint[], bigint[], text[], bytea[]);
-- As in migration 0002; a text goes to the carrier that its number uses now, and says why where that is not its own.
create function accept_sends(
    p_tenant bigint, p_now timestamptz, p_expires timestamptz, p_valid_until timestamptz, p_append boolean,
    p_ids bigint[], p_end_user_numbers text[], p_outbound_numbers text[], p_bodies text[], p_encodings text[],
    p_parts smallint[], p_ticket_ids text[], p_agent_ids bigint[], p_credential_ids bigint[],
    p_keys text[], p_hashes bytea[], p_on_doubts text[]
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
    v_left bigint[];
    v_whys text[];
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
           array_agg(coalesce(n.current_carrier_id, n.carrier_id) order by u.i),
           array_agg(case when n.current_carrier_id is not null then n.carrier_id end order by u.i),
           array_agg(n.current_why order by u.i)
    into v_outcomes, v_carriers, v_left, v_whys
    from unnest(v_outcomes, p_end_user_numbers, p_outbound_numbers, p_agent_ids) with ordinality
         u (done, end_user_number, outbound_number, agent_id, i)
    -- Each look-up is by the whole key: a plain join may read all rows of the tenant where there were few of them when
    -- the plan was made, and goes on doing so when there are a million.
    left join lateral (
        select n.number, n.carrier_id, n.current_carrier_id, n.current_why from numbers n
        where n.tenant_id = p_tenant and n.number = u.outbound_number offset 0
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

    insert into messages (tenant_id, chat_id, message_id, sender, agent_id, credential_id, body, encoding, parts,
                          on_doubt, created_at)
    select t.tenant_id, u.chat_id, u.id + 1, case when u.agent_id is null then 'api' else 'agent' end, u.agent_id,
           u.credential_id, u.body, u.encoding, u.parts, nullif(u.on_doubt, 'hold'), p_now
    from tenants t
    cross join unnest(p_ids, v_chats, p_agent_ids, p_credential_ids, p_bodies, p_encodings, p_parts, p_on_doubts,
                      v_outcomes)
         u (id, chat_id, agent_id, credential_id, body, encoding, parts, on_doubt, done)
    where t.tenant_id = p_tenant and u.done in ('accepted', 'appended');

    insert into texts (tenant_id, message_id, chat_id, carrier_id, kind, source, destination, state, due_at,
                       valid_until, state_at, queued_at, parts, on_doubt, hops)
    select t.tenant_id, u.id + 1, u.chat_id, u.carrier_id, 'notice', u.outbound_number, u.number, 'queued', p_now,
           p_valid_until, p_now, p_now, u.parts, u.on_doubt, case when u.left_id is null then 0 else 1 end
    from tenants t
    cross join unnest(p_ids, v_chats, v_carriers, p_outbound_numbers, p_end_user_numbers, p_parts, p_on_doubts, v_left,
                      v_outcomes)
         u (id, chat_id, carrier_id, outbound_number, number, parts, on_doubt, left_id, done)
    where t.tenant_id = p_tenant and u.done in ('accepted', 'appended');

    if exists (select from unnest(v_left) l where l is not null) then
        insert into moves (tenant_id, message_id, at, from_carrier_id, to_carrier_id, why)
        select t.tenant_id, u.id + 1, p_now, u.left_id, u.carrier_id, u.why
        from tenants t cross join unnest(p_ids, v_carriers, v_left, v_whys, v_outcomes) u (id, carrier_id, left_id, why, done)
        where t.tenant_id = p_tenant and u.left_id is not null and u.done in ('accepted', 'appended');
    end if;

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


-- The first texts of one priority in the queue of a line, or of one number on it. Between two numbers the order holds:
-- what waits behind an earlier text that has not left yet is passed over.
create function pick_texts(
    p_tenant bigint, p_carrier bigint, p_source text, p_priority smallint, p_limit int, p_now timestamptz
) returns bigint[]
language plpgsql
as $$
begin
    if p_limit <= 0 then
        return '{}';
    elsif p_source is null then
        return array(
            select t.message_id from texts t
            where t.tenant_id = p_tenant and t.carrier_id = p_carrier and t.priority = p_priority
              and t.state = 'queued' and t.due_at <= p_now
              and (p_priority = 0 or not exists (
                  select from texts e
                  where e.tenant_id = t.tenant_id and e.destination = t.destination and e.destination > ''
                    and e.source = t.source and e.state in ('queued', 'sending')
                    and (e.queued_at, e.message_id) < (t.queued_at, t.message_id)
              ))
            order by t.due_at, t.message_id limit p_limit for update of t skip locked
        );
    end if;
    return array(
        select t.message_id from texts t
        where t.tenant_id = p_tenant and t.carrier_id = p_carrier and t.source = p_source and t.priority = p_priority
          and t.state = 'queued' and t.due_at <= p_now
          and (p_priority = 0 or not exists (
              select from texts e
              where e.tenant_id = t.tenant_id and e.destination = t.destination and e.destination > ''
                and e.source = t.source and e.state in ('queued', 'sending')
                and (e.queued_at, e.message_id) < (t.queued_at, t.message_id)
          ))
        order by t.due_at, t.message_id limit p_limit for update of t skip locked
    );
end $$;

-- The most urgent texts of a queue, at most p_limit; p_notices of them notices, if so many wait, so that answers do not
-- starve them.
create function pick_urgent(
    p_tenant bigint, p_carrier bigint, p_source text, p_limit int, p_notices int, p_now timestamptz
) returns bigint[]
language plpgsql
as $$
declare
    v_urgent bigint[];
    v_notices bigint[];
begin
    v_urgent := pick_texts(p_tenant, p_carrier, p_source, 0::smallint, p_limit, p_now);
    v_urgent := v_urgent
        || pick_texts(p_tenant, p_carrier, p_source, 1::smallint, p_limit - cardinality(v_urgent), p_now);
    v_notices := pick_texts(p_tenant, p_carrier, p_source, 2::smallint,
                            greatest(p_notices, p_limit - cardinality(v_urgent)), p_now);
    return v_urgent[1:p_limit - cardinality(v_notices)] || v_notices;
end $$;

-- The numbers of ours that have texts to send now over a line, each with its most urgent priority: a look from one to
-- the next, however many texts wait. One whose texts all wait behind earlier ones is left out, as pick_texts passes them
-- over: it would be kept segments that it cannot use.
create function queued_sources(p_tenant bigint, p_carrier bigint, p_now timestamptz)
returns table (source text, priority smallint)
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set plan_cache_mode = force_generic_plan
as $$
begin
    source := '';
    loop
        select t.source into source from texts t
        where t.tenant_id = p_tenant and t.carrier_id = p_carrier and t.state = 'queued'
          and t.source > queued_sources.source
        order by t.source limit 1;
        exit when not found;
        for level in 0..2 loop
            if exists (
                select from texts t
                where t.tenant_id = p_tenant and t.carrier_id = p_carrier and t.state = 'queued'
                  and t.source = queued_sources.source and t.priority = level and t.due_at <= p_now
                  and (level = 0 or not exists (
                      select from texts e
                      where e.tenant_id = t.tenant_id and e.destination = t.destination and e.destination > ''
                        and e.source = t.source and e.state in ('queued', 'sending')
                        and (e.queued_at, e.message_id) < (t.queued_at, t.message_id)
                  ))
            ) then
                priority := level;
                return next;
                exit;
            end if;
        end loop;
    end loop;
end $$;

drop function claim_texts(bigint, bigint, int, bigint, timestamptz);

-- Texts to send, the most urgent and then the first due first: they and their parts are `sending` under this node before
-- a byte leaves. Those past their time and those whose receiver has opted out end here instead; a confirmation of STOP
-- is the exception. With p_sources, only texts from these numbers, of each at most so many segments: the last one may
-- be longer than what is left for it. Then the node must be the one that keeps the tenant's limits, or there is nothing.
create function claim_texts(
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
    v_states text[];
    v_reasons text[];
    v_taken bigint[];
    v_parts int;
    v_segments int;
    v_notices int;
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
        select t.tenant_id, t.message_id, t.attempt, t.chat_id, t.parts from texts t
        where t.tenant_id = p_tenant and t.message_id = u.id offset 0
    ) t
    cross join generate_series(1, t.parts) n;

    if p_sources is not null and v_ids <> '{}' then
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

    return query
    select t.message_id, t.attempt, t.source, t.destination, m.body, t.parts, t.valid_until
    from unnest(v_ids) with ordinality u (id, i)
    cross join lateral (select * from texts t where t.tenant_id = p_tenant and t.message_id = u.id offset 0) t
    cross join lateral (
        select m.body from messages m
        where m.tenant_id = p_tenant and m.chat_id = t.chat_id and m.message_id = t.message_id offset 0
    ) m
    order by u.i;
end $$;

-- Whether this node keeps the limits of the tenant now: it did, nobody did, or he who did is dead.
create function take_pace(p_tenant bigint, p_node bigint, p_now timestamptz) returns boolean
language plpgsql
as $$
begin
    insert into pacers as x (tenant_id, node_id) values (p_tenant, p_node)
    on conflict (tenant_id) do update set node_id = excluded.node_id
    where x.node_id <> p_node
      and not exists (select from nodes n where n.node_id = x.node_id and n.alive_until > p_now);
    return exists (select from pacers x where x.tenant_id = p_tenant and x.node_id = p_node);
end $$;
