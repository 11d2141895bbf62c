"""`python -m bess_opt` is `bess-opt`."""

from bess_opt.interfaces.cli.main import main

if __name__ == "__main__":
    main()
