"""Every code of a finding is in docs/findings.md with its severity, and nothing else is."""

from __future__ import annotations

import re

from codes import codes
from support.places import ROOT

from bess_opt.common import errors
from bess_opt.dispatch.checks.validate import problems_of
from bess_opt.solver.solution import LimitReachedError

TABLE = ROOT / "docs" / "findings.md"


def documented() -> dict[str, str]:
    rows = re.findall(r"^\| `([^`]+)` \| (\w+) \| \S", TABLE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) == len(dict(rows)), "a code stands twice"
    return dict(rows)


def of_errors() -> set[str]:
    """Codes made from the kind of an error that holds sentences only."""
    kinds = (errors.StrategyError, errors.SolveError, LimitReachedError, errors.AuditError)
    return {problems_of(kind("something"))[0].code for kind in kinds}


def test_the_table_holds_all_codes_and_no_others() -> None:
    assert set(documented()) == set(codes()) | of_errors()


def test_codes_are_snake_case_and_severities_are_known() -> None:
    for code, severity in documented().items():
        assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", code)
        assert severity in ("error", "warning", "recommendation")


def test_severities_are_those_of_the_code() -> None:
    """A literal severity in the source is the documented one; where a code has two, the table says so in words."""
    for code, found in codes().items():
        if found:
            assert documented()[code] in found, code
