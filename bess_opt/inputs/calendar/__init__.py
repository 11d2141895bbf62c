"""When rates and clauses hold: the keys that say so, and the dates of holidays."""
