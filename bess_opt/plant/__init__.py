"""One site in numbers and its laws, once: physics, money, billing, flows, step simulator, metrics, audit; no solver."""
