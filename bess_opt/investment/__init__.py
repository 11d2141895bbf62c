"""What to buy and what it is worth: sizing, and cash flows and present values over life."""
