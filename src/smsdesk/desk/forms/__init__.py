"""The set-up file as forms: which fields each kind of thing has, how a thing fills them, and what was typed as a thing.

What is typed becomes a document of the file's own form and is judged by the file's own readers: nothing is judged here.
No route and no action; `desk/pages/setup*.py` has those.
"""
