-- How a session began, and the browsers in which a person has signed in before.

-- Who comes from an identity provider has his second factor there.
alter table sessions add column method text not null default 'password' check (method in ('password', 'oidc'));

-- A browser that its owner has signed in with: guesses made elsewhere do not lock it out. The cookie is a random secret,
-- of which only the hash stands here.
create table known_browsers (
    tenant_id bigint not null,
    browser_sha256 bytea not null,
    agent_id bigint not null,
    expires_at timestamptz not null,
    primary key (tenant_id, browser_sha256),
    foreign key (tenant_id, agent_id) references agents on delete cascade
);
create index known_browsers_over on known_browsers (tenant_id, expires_at) where expires_at > '2000-01-01';

-- How far a person has got with guessing is forgotten some hours after the last of it.
create index sign_in_failures_old on sign_in_failures (tenant_id, since) where since > '2000-01-01';
