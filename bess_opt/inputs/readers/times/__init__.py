"""From times as foreign files write them to the starts of steps in UTC."""
