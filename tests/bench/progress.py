"""What a bench says on standard error in a pipe: a line for each step, and else nothing."""

import re

_STEP = re.compile(r"\d\d+:\d\d  ([\d,]+)/([\d,]+)  \S.*")


def split(errors: str) -> tuple[list[tuple[int, int]], str]:
    """The steps as (done, total), and the lines that are no steps."""
    steps, others = [], []
    for line in errors.splitlines():
        step = _STEP.fullmatch(line)
        if step:
            steps.append((int(step[1].replace(",", "")), int(step[2].replace(",", ""))))
        else:
            others.append(line)
    return steps, "\n".join(others)
