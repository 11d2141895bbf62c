"""Files of meters, grid operators and home systems: each kind one module with KIND, or KINDS, found by itself."""
