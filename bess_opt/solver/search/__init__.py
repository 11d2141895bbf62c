"""Exact plans where a program has yes-or-no choices, found in segments of the horizon."""
