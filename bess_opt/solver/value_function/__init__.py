"""Schedules by value functions of stored energy: exact, without integers, and beside HiGHS.

This folder owns: which scenarios qualify and why others do not (`step_program`), the ways in which a step's flows
can be balanced (`modes`), the recursion (`recursion.c`, compiled and optional, with its door `recursion`), and the
plan with its proof (`plan`).
"""
