"""From rules to a proven solution: program, expansion, HiGHS, segments, one-way search, warm start, certificate."""
