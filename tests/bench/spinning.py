"""Work for the sampler: `dear` takes three times what `cheap` takes, by sorts in C between calls of Python."""

import sys
import time

NUMBERS = list(range(20_000))


def cheap() -> None:
    sort(1)


def dear() -> None:
    sort(3)


def sort(times: int) -> None:
    """The sorting is done between two calls of `called`, none of it in there."""
    for _ in map(called, map(sorted, [NUMBERS] * times)):
        pass


def called(numbers: list[int]) -> int:
    return len(numbers)


def main() -> None:
    end = time.process_time() + 1.2
    print("ready", flush=True)
    while time.process_time() < end:
        cheap()
        dear()
    print("done", flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main()
