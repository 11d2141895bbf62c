"""From rules to a proven solution: program, expansion, HiGHS, windows, one-way search, warm start, certificate."""
