"""Outages that a site rides out: how long from each step, proven, and what covers a stated length."""
