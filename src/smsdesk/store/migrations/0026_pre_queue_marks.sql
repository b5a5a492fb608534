-- Dead rows that somebody's old snapshot keeps (a backup, a long report, ANALYZE of a large table) stand before the texts
-- that wait, and each claim would pass all of them (docs/adr/0039-behind-an-old-snapshot.md).

-- From which due time on a line's queue is looked through: nothing older waits in it. Who claims often renews it each
-- second; one that is three seconds old is no longer believed.
create table queue_marks (
    tenant_id bigint not null,
    carrier_id bigint not null,
    since timestamptz not null,
    marked_at timestamptz not null,
    primary key (tenant_id, carrier_id)
);

-- Renews it: the first text that waits, for whatever reason, and two seconds ago at most, since a text is due before it
-- is committed.
create function mark_queue(p_tenant bigint, p_carrier bigint, p_now timestamptz) returns void
language sql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set plan_cache_mode = force_generic_plan
as $$
    insert into queue_marks (tenant_id, carrier_id, since, marked_at)
    select p_tenant, p_carrier, least(p_now - interval '2 seconds', min(f.due_at)), p_now
    from generate_series(0, 2) l (priority)
    left join lateral (
        select t.due_at from texts t
        where t.tenant_id = p_tenant and t.carrier_id = p_carrier and t.priority = l.priority and t.state = 'queued'
        order by t.due_at limit 1
    ) f on true
    on conflict (tenant_id, carrier_id) do update set since = excluded.since, marked_at = excluded.marked_at;
$$;

-- The queue is small and changes all the time: it is cleaned at once, however gently a server cleans its large tables.
alter table texts set (autovacuum_vacuum_cost_delay = 0);

create function queue_since(p_tenant bigint, p_carrier bigint, p_now timestamptz) returns timestamptz
language sql stable
as $$
    select coalesce((
        select q.since from queue_marks q
        where q.tenant_id = p_tenant and q.carrier_id = p_carrier
          and q.marked_at between p_now - interval '3 seconds' and p_now + interval '3 seconds'
    ), '-infinity');
$$;

-- As in migration 0009, from the mark on.
create or replace function pick_texts(
    p_tenant bigint, p_carrier bigint, p_source text, p_priority smallint, p_limit int, p_now timestamptz
) returns bigint[]
language plpgsql
as $$
declare
    v_since timestamptz;
begin
    if p_limit <= 0 then
        return '{}';
    end if;
    v_since := queue_since(p_tenant, p_carrier, p_now);
    if p_source is null then
        return array(
            select t.message_id from texts t
            where t.tenant_id = p_tenant and t.carrier_id = p_carrier and t.priority = p_priority
              and t.state = 'queued' and t.due_at between v_since and p_now
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
          and t.state = 'queued' and t.due_at between v_since and p_now
          and (p_priority = 0 or not exists (
              select from texts e
              where e.tenant_id = t.tenant_id and e.destination = t.destination and e.destination > ''
                and e.source = t.source and e.state in ('queued', 'sending') and e.due_at < 'infinity'
                and (e.queued_at, e.message_id) < (t.queued_at, t.message_id)
          ))
        order by t.due_at, t.message_id limit p_limit for update of t skip locked
    );
end $$;

-- As in migration 0021; whether something is late is asked of what is late alone, for the same reason.
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
begin
    for round in 1..25 loop
        v_urgent := pick_texts(p_tenant, p_carrier, p_source, 0::smallint, p_limit, p_now);
        v_urgent := v_urgent
            || pick_texts(p_tenant, p_carrier, p_source, 1::smallint, p_limit - cardinality(v_urgent), p_now);
        v_notices := pick_texts(p_tenant, p_carrier, p_source, 2::smallint,
                                greatest(p_notices, p_limit - cardinality(v_urgent)), p_now);
        v_picked := v_urgent[1:p_limit - cardinality(v_notices)] || v_notices;
        -- One look, where nearly always nothing is late, in place of one at each text.
        exit when not exists (
            select from texts t where t.tenant_id = p_tenant and t.state = 'queued' and t.not_after <= p_now
        );
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

-- As in migration 0009, from the mark on.
create or replace function queued_sources(p_tenant bigint, p_carrier bigint, p_now timestamptz)
returns table (source text, priority smallint)
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set plan_cache_mode = force_generic_plan
as $$
declare
    v_since timestamptz := queue_since(p_tenant, p_carrier, p_now);
begin
    source := '';
    loop
        select t.source into source from texts t
        where t.tenant_id = p_tenant and t.carrier_id = p_carrier and t.state = 'queued'
          and t.source > queued_sources.source and t.due_at >= v_since
        order by t.source limit 1;
        exit when not found;
        for level in 0..2 loop
            if exists (
                select from texts t
                where t.tenant_id = p_tenant and t.carrier_id = p_carrier and t.state = 'queued'
                  and t.source = queued_sources.source and t.priority = level and t.due_at between v_since and p_now
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
