"""All SQL, a file a noun; nothing else speaks to the database.

A function here runs named statements on the connection that it is given and returns plain values. It never begins or
ends a transaction: `db.Database.transaction` does, for the action that owns the use case. No decisions here beyond what
must be decided under the row's lock.
"""
