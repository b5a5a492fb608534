-- What a person decided about a doubtful text: who, when, and which attempt it was about. Never updated.
create table settlements (
    tenant_id bigint not null,
    message_id bigint not null,
    attempt smallint not null,
    at timestamptz not null,
    verdict text not null check (verdict in ('sent', 'not_sent', 'send_again')),
    settled_by text not null check (settled_by <> ''),
    primary key (tenant_id, message_id, attempt)
);

-- Settles a doubtful text as a person says. False where it is not doubtful (any more): then nothing changes.
create function settle_text(
    p_tenant bigint, p_message bigint, p_verdict text, p_settled_by text, p_now timestamptz, p_valid_until timestamptz
) returns boolean
language plpgsql
as $$
declare v_attempt smallint;
begin
    select t.attempt into v_attempt from texts t
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
