"""Exact plans of sizes, where a proof takes its values from, and which of them to make where bids are whole."""
