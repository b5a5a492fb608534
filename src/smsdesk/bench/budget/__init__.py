"""What each step of a send and of a delivered text costs, beside its bare cost (docs/performance.md)."""
