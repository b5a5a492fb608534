"""Files that come with texts or go with them: fetched from carriers, kept in a folder or in a bucket.

Octets and settings in, values out. Nothing here knows a chat, a tenant's rows or an HTTP route; what a file is and
whether it is kept is decided in `domain/media.py`.
"""
