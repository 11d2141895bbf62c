"""What a warranty counts, in numbers: caps on cycles, and wear by their depth."""
