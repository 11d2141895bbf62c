"""Capacity that is held for a market, in the model."""
