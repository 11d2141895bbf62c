"""What a warranty counts, in the model: caps on cycles, and wear by their depth."""
