"""The desk in the browser: pages for agents, supervisors, administrators and developers, rendered here and kept live.

Pages call actions and reads of the store, and turn them into HTML; who may do what is decided in the actions. Nothing
of the HTTP API belongs here, and no SQL.
"""
