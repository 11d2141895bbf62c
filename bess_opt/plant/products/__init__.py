"""Market products in numbers: what is offered, and whether a schedule can deliver what it holds."""
