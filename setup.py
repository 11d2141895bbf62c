"""Builds the compiled part of the value functions; all else stands in pyproject.toml."""

from pathlib import Path
from runpy import run_path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

FOLDER = "bess_opt/solver/value_function"
SOURCES = run_path(f"{FOLDER}/sources.py")


class BuildPlainC(build_ext):
    """The library is loaded by ctypes: it exports its own functions, no module of Python's."""

    def get_export_symbols(self, ext: Extension) -> list[str]:
        """What a Windows library must name to make it visible."""
        return list(ext.export_symbols)


setup(
    ext_modules=[
        Extension(
            "bess_opt.solver.value_function._passes",
            [f"{FOLDER}/{name}.c" for name in SOURCES["LIBRARIES"]],
            depends=[f"{FOLDER}/{name}.h" for name in SOURCES["HEADERS"]],
            define_macros=[("SOURCES", str(SOURCES["checksum"](Path(FOLDER))))],
            export_symbols=[
                "vf_backward",
                "vf_forward",
                "vf_along",
                "vf_result",
                "vf_curve",
                "vf_humps",
                "vf_free",
                "vf_known",
                "vf_forget",
                "vf_sources",
            ],
            optional=True,  # without a compiler the installation succeeds, and HiGHS solves everything
        )
    ],
    cmdclass={"build_ext": BuildPlainC},
)
