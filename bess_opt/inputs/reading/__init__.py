"""From the text or tables of a scenario to checked ones: keys, magnitudes, entries of strategies, JSON schema."""
