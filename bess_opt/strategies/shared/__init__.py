"""What every strategy file meets: contract, stack, binding, discovery, parts of rules."""
