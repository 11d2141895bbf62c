"""What to buy and what it is worth: sizing, and over life the cash flow and its net present value."""
