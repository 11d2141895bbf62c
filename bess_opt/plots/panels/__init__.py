"""Parts of a picture over time, each drawn into axes that are given: power, price, state of charge."""
