"""Files of inverters and of tools that compute solar power: each kind one module with KIND, found by itself."""
