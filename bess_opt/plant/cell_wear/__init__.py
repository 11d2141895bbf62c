"""What the cells wear: by depth of cycle, and how cycles are counted."""
