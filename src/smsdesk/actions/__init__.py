"""One use case a file, one transaction each, named by a verb and its noun.

An action takes the database, the moment and plain values, decides by `domain`, writes by `store`, and returns values or
raises `errors.Problem`. It knows no HTTP, no carrier and no other action.
"""
