"""What every strategy file meets: contract, stack, activation, discovery, parts of rules."""
