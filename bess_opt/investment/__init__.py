"""What to buy and what it is worth."""
