"""What is possible: one physical thing per file, each constraint a named rule with its equation."""
