"""The imitated HTTP API: their paths, their words, their order of checks.

The dialect stops here: a handler reads a request, calls one action or read query, and writes the answer.
"""
