"""Pure values and decisions: no I/O, no clock, no framework.

What a text is, how it is cut, which moves are legal, what a reply means: all of it functions of their arguments.
"""
