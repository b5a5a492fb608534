-- Consent: for which of our numbers it was taken back, by which rule, who says so; and texts of which a person decides
-- what they meant.

-- What an opt-out covers: one number of ours, the numbers of one brand, or all.
alter table opt_outs
    add column scope text not null default 'all' check (scope in ('number', 'brand', 'all')),
    add column scope_of text not null default '',
    add constraint opt_outs_of_check check ((scope = 'all') = (scope_of = '')),
    drop constraint opt_outs_pkey,
    add primary key (tenant_id, number, scope, scope_of);

alter table consent_history
    add column scope text not null default 'all' check (scope in ('number', 'brand', 'all')),
    add column scope_of text not null default '',
    -- Who said so, where it was not the consumer: a credential, an agent, a file, a carrier.
    add column actor text,
    -- The tenant's rule that gave the scope, and why the words were taken for what they were.
    add column rule text,
    add column reason text;
create index consent_history_by_time on consent_history (tenant_id, at, event_id) where at > '2000-01-01';

-- Replies that may be a revocation. While one is open, no notice leaves between the two numbers.
create table consent_holds (
    tenant_id bigint not null,
    hold_id bigint not null,
    number text not null,
    source text not null,
    at timestamptz not null,
    chat_id bigint not null,
    message_id bigint not null,
    words text not null,
    reason text not null,
    decided_at timestamptz,
    decision text check (decision in ('revoked', 'allowed')),
    decided_by text,
    primary key (tenant_id, hold_id),
    check ((decided_at is null) = (decision is null))
);
create unique index consent_holds_open on consent_holds (tenant_id, number, source) where decided_at is null;
create index consent_holds_by_time on consent_holds (tenant_id, at, hold_id) where at > '2000-01-01';

-- Texts that a carrier refused because their reader had told it STOP. Each is taken over into opt_outs, unless there
-- are more in an hour than the tenant's settings allow: those wait for a person.
create table carrier_opt_outs (
    tenant_id bigint not null,
    message_id bigint not null,
    carrier_id bigint not null,
    number text not null,
    source text not null,
    code text not null,
    at timestamptz not null,
    state text not null default 'new' check (state in ('new', 'waiting', 'taken', 'dropped')),
    decided_by text,
    primary key (tenant_id, message_id)
);
create index carrier_opt_outs_new on carrier_opt_outs (tenant_id, at) where state = 'new';
create index carrier_opt_outs_waiting on carrier_opt_outs (tenant_id, carrier_id, at) where state = 'waiting';
create index carrier_opt_outs_taken on carrier_opt_outs (tenant_id, carrier_id, at) where state = 'taken';

-- Who put the number there.
alter table blocked_numbers add column actor text;

-- The opt-outs that keep a number of ours from texting this number: the one test, asked by everything that accepts or
-- sends. A handful of rows by the beginning of their key; the planner takes it into the statement that asks.
create function opt_outs_between(p_tenant bigint, p_number text, p_source text) returns setof opt_outs
language sql stable
as $$
    select o.* from opt_outs o
    where o.tenant_id = p_tenant and o.number = p_number
      and (o.scope = 'all' or o.scope = 'number' and o.scope_of = p_source
           or o.scope = 'brand' and o.scope_of = (
               select n.brand from numbers n where n.tenant_id = p_tenant and n.number = p_source))
$$;

-- The reply between two numbers of which a person has yet to say whether it was a revocation.
create function hold_between(p_tenant bigint, p_number text, p_source text) returns setof consent_holds
language sql stable
as $$
    select h.* from consent_holds h
    where h.tenant_id = p_tenant and h.number = p_number and h.source = p_source and h.decided_at is null
$$;

-- Whether the number must not be texted from this number of ours. Its plan stays with the session.
create or replace function opted_out(p_tenant bigint, p_number text, p_source text) returns boolean
language plpgsql stable
as $$
begin
    return exists (select from opt_outs_between(p_tenant, p_number, p_source));
end $$;

-- Whether a person has yet to decide if the number wants texts from this number of ours.
create function in_doubt(p_tenant bigint, p_number text, p_source text) returns boolean
language plpgsql stable
as $$
begin
    return exists (select from hold_between(p_tenant, p_number, p_source));
end $$;

-- What a STOP to this number of ours covers, by the tenant's rule of that day. Before the first rule, and for a number
-- that has no brand, the widest. The default is the law's own calendar: unrelated messages of one sender end with one
-- STOP from 2027-01-31 on (FCC DA 26-12).
create function consent_scope(p_tenant bigint, p_source text, p_at timestamptz)
returns table (scope text, scope_of text, rule text)
language plpgsql stable
as $$
declare
    v_brand text := (select n.brand from numbers n where n.tenant_id = p_tenant and n.number = p_source);
begin
    select r ->> 'scope', (r ->> 'scope') || ' from ' || (r ->> 'from') into scope, rule
    from tenants t
    cross join lateral jsonb_array_elements(coalesce(
        nullif(nullif(t.settings -> 'consent_scope', 'null'), '[]'),
        '[{"from": "2025-04-11", "scope": "brand"}, {"from": "2027-01-31", "scope": "all"}]'
    )) r
    where t.tenant_id = p_tenant and (r ->> 'from')::date <= (p_at at time zone 'UTC')::date
    order by (r ->> 'from')::date desc limit 1;
    scope := coalesce(scope, 'all');
    rule := coalesce(rule, 'all, before the first rule');
    if scope = 'brand' and v_brand is null then
        scope := 'all';
        rule := rule || '; the number has no brand';
    end if;
    scope_of := case scope when 'number' then p_source when 'brand' then v_brand else '' end;
    return next;
end $$;

-- As in migration 0003; what a carrier refused as opted out is noted, to be taken over.
create or replace function end_texts(
    p_tenant bigint, p_now timestamptz, p_ids bigint[], p_states text[], p_reasons text[], p_codes text[]
) returns void
language plpgsql
as $$
declare
    v_text record;
    v_first boolean;
    v_why record;
begin
    for i in 1..coalesce(cardinality(p_ids), 0) loop
        delete from texts t where t.tenant_id = p_tenant and t.message_id = p_ids[i]
        returning t.chat_id, t.state, t.reason, t.code, t.carrier_id, t.source, t.destination
        into v_text;
        continue when not found;
        v_first := p_states[i] <> 'delivered' and v_text.state <> 'queued' and v_text.reason is not null;
        update messages m
        set state = p_states[i], ended_at = p_now,
            reason = case when v_first then v_text.reason when p_states[i] <> 'delivered' then p_reasons[i] end,
            code = case when v_first then v_text.code else p_codes[i] end
        where m.tenant_id = p_tenant and m.chat_id = v_text.chat_id and m.message_id = p_ids[i]
        returning m.reason, m.code into v_why;
        if v_why.reason = 'opted_out' and v_why.code is not null then
            insert into carrier_opt_outs (tenant_id, message_id, carrier_id, number, source, code, at)
            values (p_tenant, p_ids[i], v_text.carrier_id, v_text.destination, v_text.source, v_why.code, p_now)
            on conflict do nothing;
        end if;
    end loop;
end $$;

-- As in migration 0003, for those of our numbers that the opt-outs cover.
create or replace function end_opted_out(p_tenant bigint, p_number text, p_now timestamptz) returns bigint[]
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
        select t.state, t.kind, t.node_id, t.source into v_text from texts t
        where t.tenant_id = p_tenant and t.message_id = v_id for update;
        continue when not found or v_text.kind = 'confirmation'
                       or not opted_out(p_tenant, p_number, v_text.source);
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

-- As in migration 0006; a notice that a person has yet to decide about stands aside (`due_at` is `infinity`), and
-- nothing waits behind it.
create or replace function pick_texts(
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
                    and e.source = t.source and e.state in ('queued', 'sending') and e.due_at < 'infinity'
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
                and e.source = t.source and e.state in ('queued', 'sending') and e.due_at < 'infinity'
                and (e.queued_at, e.message_id) < (t.queued_at, t.message_id)
          ))
        order by t.due_at, t.message_id limit p_limit for update of t skip locked
    );
end $$;

-- As in migration 0006, with what stands aside left out.
create or replace function queued_sources(p_tenant bigint, p_carrier bigint, p_now timestamptz)
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
                        and e.source = t.source and e.state in ('queued', 'sending') and e.due_at < 'infinity'
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

-- As in migration 0006; opt-outs have a scope, and a notice between two numbers in doubt stands aside.
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
