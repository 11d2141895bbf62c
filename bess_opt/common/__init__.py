"""What every room speaks: errors, findings, the base of input tables (ranges, unknown keys), columns, clock, wording.

Beside these: names near a wrong one, array types, files and folders that are written whole or not at all, provenance.
"""
