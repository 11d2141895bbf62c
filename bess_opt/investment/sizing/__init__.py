"""The best power and duration, with a proof over all sizes."""
