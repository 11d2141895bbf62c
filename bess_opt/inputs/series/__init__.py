"""Time series as a user brings them: read, put on one time axis, resampled, filled and cleaned."""
