-- Jobs for the CRM are found by their chat, and listed while somebody may have to see to them.

-- Its condition is always true, as that of chats_by_time is, and for the same reason.
create index crm_jobs_by_chat on crm_jobs (tenant_id, chat_id) where chat_id > 0;
create index crm_jobs_open on crm_jobs (tenant_id, created_at, job_id) where state in ('queued', 'failed');
