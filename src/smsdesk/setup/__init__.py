"""A tenant's set-up as a file: reading it, judging it, and the difference to what stands in the database.

Here belong the YAML, its keys and ranges, the messages about its mistakes, the plan and its preview. All of it is a
function of its arguments, but for `secrets` and `rates`, which read what a file names: secrets and price lists. No SQL
and no carrier: the state of the database and the carriers' Config types are passed in. `docs/setup-file.md` is the
reader's side of it.
"""
