"""Lines to the systems where tickets and contacts are kept.

A CRM turns what a job wants (a contact, a ticket, a transcript posted) into its vendor's requests. It knows the
contract, the HTTP parts beside it and `domain` values. It never sees the database, the actions or the API. Which job is
due, and what was learned from it, `jobs/crm.py` knows.
"""
