"""Capacity that is held for a market, in the model: any market product, and frequency regulation."""
