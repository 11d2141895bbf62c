"""Published tariffs as ours: one file for each structure in which they are published."""
