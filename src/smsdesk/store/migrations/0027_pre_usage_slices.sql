-- The sums of a number's day are written by each group of its texts. Under an old snapshot none of the versions of such a
-- row goes, and each write passes them all: they are shared out over the minutes, and added up by who reads them
-- (docs/adr/0039-behind-an-old-snapshot.md).
alter table usage add column slice smallint not null default 0;
alter table usage drop constraint usage_pkey;
alter table usage add primary key (tenant_id, day, carrier_id, source, currency, slice);

-- As in migration 0007, to the row of this minute.
create or replace function charge_texts(p_tenant bigint, p_carrier bigint, p_now timestamptz, p_ids bigint[]) returns void
language plpgsql
as $$
declare
    v_currency text;
    v_text record;
    v_price numeric;
    v_prices numeric[] := array_fill(null::numeric, array[cardinality(p_ids)]);
begin
    if p_ids = '{}' then
        return;
    end if;
    select c.currency into v_currency from carriers c where c.tenant_id = p_tenant and c.carrier_id = p_carrier;
    for i in 1..case when v_currency is null then 0 else cardinality(p_ids) end loop
        select t.destination, t.chat_id, t.attempt into v_text from texts t
        where t.tenant_id = p_tenant and t.message_id = p_ids[i];
        v_price := price_of(p_tenant, p_carrier, v_text.destination) * taken_parts(p_tenant, p_ids[i], v_text.attempt);
        continue when v_price is null;
        v_prices[i] := v_price;
        -- Sent again, it costs again; in another currency there is no sum, and the last one stands.
        update messages m
        set price = v_price + case when m.currency = v_currency then m.price else 0 end, currency = v_currency
        where m.tenant_id = p_tenant and m.chat_id = v_text.chat_id and m.message_id = p_ids[i];
    end loop;
    -- In the order of the numbers, so that two groups never wait for each other crosswise.
    insert into usage as x (tenant_id, day, carrier_id, source, currency, slice, texts, segments, price)
    select t.tenant_id, (p_now at time zone 'UTC')::date, p_carrier, t.source, t.currency,
           extract(minute from p_now)::int % 15, count(*), sum(t.segments), sum(t.price)
    from unnest(p_ids, v_prices) u (id, price)
    cross join lateral (
        select t.tenant_id, t.source, case when u.price is null then '' else v_currency end as currency,
               case t.parts when 1 then 1 else taken_parts(p_tenant, u.id, t.attempt) end as segments,
               coalesce(u.price, 0) as price
        from texts t where t.tenant_id = p_tenant and t.message_id = u.id offset 0
    ) t
    group by t.tenant_id, t.source, t.currency order by t.source, t.currency
    on conflict (tenant_id, day, carrier_id, source, currency, slice) do update
    set texts = x.texts + excluded.texts, segments = x.segments + excluded.segments, price = x.price + excluded.price;
end $$;
