"""Version 1 of the imitated API: a file a noun, routes and the shapes of their bodies together.

The dialect's key names and formats are here and nowhere below.
"""
