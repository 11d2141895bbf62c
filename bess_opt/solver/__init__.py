"""From rules to a proven solution: program, HiGHS, other engines, segments, one-way search, tie-break, certificate.

`engines.py` says what an engine beside HiGHS can be asked; each is a folder.
"""
