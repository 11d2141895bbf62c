"""Sizes of several batteries at once, and over several years of prices, with one proven bound."""
