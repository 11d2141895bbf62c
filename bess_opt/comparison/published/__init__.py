"""Numbers that others published, computed again."""
