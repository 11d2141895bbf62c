"""Why no plan exists, and the least change that makes one possible."""
