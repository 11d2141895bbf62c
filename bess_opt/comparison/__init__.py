"""A plan held against nothing, the rule, other tools and published numbers."""
