"""Money and cells over the life of the plant."""
