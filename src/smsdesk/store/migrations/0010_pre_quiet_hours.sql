-- Quiet hours: what a text is for, where its reader is, and when it may not leave any more.

alter table end_users add column time_zone text;

-- Without a category a text is transactional; without a rule no quiet hours had a part in it.
alter table messages
    add column category text check (category in ('marketing', 'urgent')),
    add column quiet_rule text;

-- From then on the text may not leave, until a sweep has found when it may again; null where no hours hold it. What is
-- held is in the queue from when it may leave on: meanwhile it holds up no other text between the two numbers.
alter table texts add column not_after timestamptz;
create index texts_windows on texts (tenant_id, not_after) where state = 'queued' and not_after is not null;

-- Writes down what was judged of queued texts: from when until when they may leave, when they are past their time, what
-- they are for, and by which rule. Where `p_due_ats`, `p_valid_untils` or `p_categories` has null, that stays as it is.
create function set_windows(
    p_tenant bigint, p_messages bigint[], p_due_ats timestamptz[], p_not_afters timestamptz[],
    p_valid_untils timestamptz[], p_categories text[], p_rules text[]
) returns void
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
as $$
declare v_chat bigint;
begin
    for i in 1..cardinality(p_messages) loop
        update texts t
        set due_at = coalesce(p_due_ats[i], t.due_at), queued_at = coalesce(p_due_ats[i], t.queued_at),
            not_after = p_not_afters[i], valid_until = coalesce(p_valid_untils[i], t.valid_until)
        where t.tenant_id = p_tenant and t.message_id = p_messages[i] and t.state = 'queued'
        returning t.chat_id into v_chat;
        continue when not found;
        update messages m
        set category = coalesce(nullif(p_categories[i], 'transactional'), m.category), quiet_rule = p_rules[i]
        where m.tenant_id = p_tenant and m.chat_id = v_chat and m.message_id = p_messages[i];
    end loop;
end $$;

-- Where a consumer is. What is held for him is judged again: until then nothing of it leaves.
create function set_time_zone(p_tenant bigint, p_number text, p_zone text, p_now timestamptz) returns void
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off
as $$
begin
    update end_users e set time_zone = p_zone
    where e.tenant_id = p_tenant and e.number = p_number and e.time_zone is distinct from p_zone;
    if found then
        update texts t set not_after = p_now
        where t.tenant_id = p_tenant and t.destination = p_number and t.destination > '' and t.state = 'queued'
          and t.not_after is not null;
    end if;
end $$;

-- As in migration 0006; what may not leave any more is put off instead, for the sweep to say until when. In rounds, so
-- that a crowd of it does not hide the others; bounded, so that a call stays short.
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
