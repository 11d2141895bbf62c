"""What every room speaks.

Errors, findings, input tables, column names, clock, array types, wording of numbers and times, atomic folders,
provenance.
"""
