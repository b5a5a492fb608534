"""Others beside us: the same load, the same lab, in turn (docs/compare.md)."""
