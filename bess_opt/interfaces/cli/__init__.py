"""The command line `bess-opt`."""
