"""Schedules by value functions of stored energy: exact, without integers, and beside HiGHS.

This folder owns: which scenarios qualify and why others do not (`step_program`), the ways in which a step's flows
can be balanced (`modes`), the recursion (`recursion.h` and the C files that it lists, compiled and optional, with
their door `recursion`), a row over all steps and demand peaks beside it (`on_top/`), the plan with its proof
(`plan`), and many questions to one model (`values`, `prices`).
"""
