"""Files of electricity markets and exchanges: each kind one module with KIND, or KINDS, found by itself."""
