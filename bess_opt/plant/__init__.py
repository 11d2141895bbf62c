"""One site in numbers and its laws, once.

Physics, money, billing, flows, step simulator, metrics, audit; no solver.
"""
