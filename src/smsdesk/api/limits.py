"""How often a credential may ask: a token bucket for each, of one second's worth."""

from collections.abc import Callable


class RateLimiter:
    """Allows `per_second` requests a second to each key, with as many at once; 0 allows all."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._buckets: dict[int, tuple[float, float]] = {}

    def wait(self, key: int, per_second: int) -> float:
        """Takes a token: 0.0 where there was one, else the seconds until there is."""
        if not per_second:
            return 0.0
        now = self._now()
        tokens, at = self._buckets.get(key, (float(per_second), now))
        tokens = min(float(per_second), tokens + (now - at) * per_second)
        if tokens >= 1:
            self._buckets[key] = (tokens - 1, now)
            return 0.0
        self._buckets[key] = (tokens, now)
        return (1 - tokens) / per_second
