"""One page to read or print."""
