"""Shipped definitions of market products: what a market asks of a product, by name and the date it is in force."""

from bess_opt.inputs.products.catalogue import definition, products

__all__ = ["definition", "products"]
