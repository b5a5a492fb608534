-- What grows with history lies in partitions of a month, told by the id (domain/periods.py, docs/adr/0033-periods.md).

-- The months of which there are partitions, and those that were: what runs reads here which are in use, and which go.
create table periods (
    period integer primary key check (period >= 0),
    opened_at timestamptz not null,
    -- Since when its ids are handed out; null for one that was made ahead.
    began_at timestamptz,
    -- Since when it goes, and when its partitions and all that belonged to it had gone.
    going_at timestamptz,
    gone_at timestamptz check (gone_at is null or going_at is not null)
);
insert into periods (period, opened_at, began_at) values (0, now(), now());

-- A key that names a partitioned table makes each drop of a partition read the table that the key is of. Those who write
-- these rows have just written or read the message, and nothing removes one before all that belongs to it.
alter table texts drop constraint if exists texts_tenant_id_chat_id_message_id_fkey;
alter table media drop constraint if exists media_tenant_id_chat_id_message_id_fkey;
alter table message_words drop constraint if exists message_words_tenant_id_chat_id_message_id_fkey;

-- The tables as they are become the partitions of period 0, with all that was before; nothing is copied. Keys, indexes
-- and checks are made for the whole under the names that they had.
do $$
declare
    v_table record;
    v_made text[];
    v_index text;
    v_statement text;
begin
    for v_table in
        select * from (values ('messages', 'chat_id'), ('participants', 'chat_id'), ('message_words', 'chat_id'),
                              ('spans', 'chat_id'), ('parts', 'message_id')) t (name, key)
    loop
        v_made := array(
            select format('alter table %I add constraint %I %s', v_table.name, k.conname, pg_get_constraintdef(k.oid))
            from pg_constraint k where k.conrelid = v_table.name::regclass and k.contype in ('p', 'u', 'f')
            order by k.contype desc, k.conname
        ) || array(
            select pg_get_indexdef(x.indexrelid) from pg_index x
            where x.indrelid = v_table.name::regclass
              and not exists (select from pg_constraint k where k.conindid = x.indexrelid and k.conrelid = x.indrelid)
        );
        execute format('alter table %I rename to %I', v_table.name, v_table.name || '_p0');
        for v_index in
            select i.relname from pg_index x join pg_class i on i.oid = x.indexrelid
            where x.indrelid = (v_table.name || '_p0')::regclass
        loop
            execute format('alter index %I rename to %I', v_index, v_index || '_p0');
        end loop;
        execute format('create table %I (like %I including defaults including constraints) partition by range (%I)',
                       v_table.name, v_table.name || '_p0', v_table.key);
        foreach v_statement in array v_made loop
            execute v_statement;
        end loop;
        execute format('alter table %I attach partition %I for values from (minvalue) to (100000000000)',
                       v_table.name, v_table.name || '_p0');
    end loop;
end $$;

-- Which files are those of other chats as well: the same content is kept once.
create index media_by_content on media (tenant_id, content_key) where content_key is not null;

-- The parts that a carrier has names for: of each name the attempt that was claimed last, for it may be used again after
-- long. Asked for in the two latest months whose ids are in use; in all others only what is not there.
create or replace function named_parts(p_tenant bigint, p_carrier bigint, p_ids text[])
returns table (carrier_part_id text, message_id bigint, attempt smallint, chat_id bigint)
language plpgsql stable
as $$
#variable_conflict use_column
declare
    v_months int[] := array(select x.period from periods x where x.began_at is not null order by x.period desc limit 2);
    v_since bigint := coalesce(v_months[2], 0) * 100000000000;
    v_until bigint := (v_months[1] + 1) * 100000000000;
    v_found record;
begin
    select array_agg(u.id) as ids, array_agg(p.message_id) as messages, array_agg(p.attempt) as attempts,
           array_agg(p.chat_id) as chats, bool_or(p.message_id is null) as missing
    into v_found
    from unnest(p_ids) u (id)
    left join lateral (
        select p.message_id, p.attempt, p.chat_id from parts p
        where p.tenant_id = p_tenant and p.carrier_id = p_carrier and p.carrier_part_id = u.id
          and p.message_id >= v_since and p.message_id < v_until
        order by p.claimed_at desc limit 1
    ) p on true;
    return query select * from unnest(v_found.ids, v_found.messages, v_found.attempts, v_found.chats)
        u (id, message_id, attempt, chat_id) where u.message_id is not null;
    if v_found.missing then
        return query select u.id, p.message_id, p.attempt, p.chat_id
        from unnest(v_found.ids, v_found.messages) u (id, found)
        cross join lateral (
            select p.message_id, p.attempt, p.chat_id from parts p
            where p.tenant_id = p_tenant and p.carrier_id = p_carrier and p.carrier_part_id = u.id
              and (p.message_id < v_since or p.message_id >= v_until)
            order by p.claimed_at desc limit 1
        ) p
        where u.found is null;
    end if;
end $$;
