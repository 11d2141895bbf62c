"""What every room speaks: errors, findings, input tables, column names, clock, array types, wording, atomic folders, provenance."""
