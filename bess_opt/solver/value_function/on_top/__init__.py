"""What ties steps together beside the stored energy, and is kept on top of the recursion.

This folder owns: a row over all steps (`row_over_all`), demand peaks (`beside`, `peaks`, `ceiling_choice`), and the
prices that prove a plan under them (`priced`).
"""
