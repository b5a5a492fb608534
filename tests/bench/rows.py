"""Arguments for the yardstick's statement, in a module that its own process can import."""


def numbered(first: int, group: int) -> tuple[object, ...]:
    return (list(range(first, first + group)),)


def always_the_same(first: int, group: int) -> tuple[object, ...]:
    return ([7],)
