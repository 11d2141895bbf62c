"""The files of `benchmarks/` are scripts beside the package: their folder has to be on the path."""

import sys

from support.places import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
