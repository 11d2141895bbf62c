"""One site in numbers and its laws, once: physics (energy, C-rate limit), money, billing, step simulator, audit.

No solver stands here. `warranty/` has caps on cycles and wear, `steps/` what the step simulator is made of.
"""
