-- Where a text may go (routes), how fast (limits), and what it costs (rates).

-- What a number belongs to, where limits are shared by several numbers.
alter table numbers add column campaign text, add column brand text;
-- The carrier that the number's texts go to now, while its own is left; null: its own.
alter table numbers add column current_carrier_id bigint;
alter table numbers add foreign key (tenant_id, current_carrier_id) references carriers;

-- The carriers that a number's texts may go to when its own is left, the first one first.
create table fallbacks (
    tenant_id bigint not null,
    number text not null,
    position smallint not null check (position > 0),
    carrier_id bigint not null,
    -- The carrier does not take texts of this number until then, and what it said.
    closed_until timestamptz,
    closed_why text,
    primary key (tenant_id, number, position),
    unique (tenant_id, number, carrier_id),
    foreign key (tenant_id, number) references numbers on delete cascade,
    foreign key (tenant_id, carrier_id) references carriers
);

-- At most so many segments in any so many seconds; `name` is a number, a campaign, a brand or a carrier's name, empty
-- for the tenant.
create table limits (
    tenant_id bigint not null references tenants,
    scope text not null check (scope in ('number', 'campaign', 'brand', 'carrier', 'tenant')),
    name text not null check ((name = '') = (scope = 'tenant')),
    seconds integer not null check (seconds > 0),
    segments integer not null check (segments > 0),
    primary key (tenant_id, scope, name, seconds)
);

-- What a carrier asks for a segment to numbers that begin so (digits, no plus): the longest prefix counts.
create table rates (
    tenant_id bigint not null,
    carrier_id bigint not null,
    prefix text not null check (prefix ~ '^[0-9]{0,15}$'),
    price numeric(12, 6) not null check (price >= 0),
    primary key (tenant_id, carrier_id, prefix),
    foreign key (tenant_id, carrier_id) references carriers on delete cascade
);
alter table carriers add column currency text check (currency ~ '^[A-Z]{3}$');

-- What the carrier that took the text asks for it; null where it has no rate.
alter table messages add column price numeric(14, 6), add column currency text;

-- What left, by day (UTC), summed.
create table usage (
    tenant_id bigint not null,
    day date not null,
    carrier_id bigint not null,
    source text not null,
    currency text not null default '',
    texts bigint not null,
    segments bigint not null,
    price numeric(18, 6) not null default 0,
    primary key (tenant_id, day, carrier_id, source, currency)
);

-- Texts that changed their carrier: from where, to where, and why. Never updated.
create table moves (
    tenant_id bigint not null,
    message_id bigint not null,
    at timestamptz not null,
    from_carrier_id bigint not null,
    to_carrier_id bigint not null,
    why text not null,
    primary key (tenant_id, message_id, at, to_carrier_id)
);
