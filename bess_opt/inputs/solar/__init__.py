"""Solar power of a PV plant from weather."""
