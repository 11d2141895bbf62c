"""Checks of an input before anything is solved, by room."""
