"""What readers of tariffs share: prices per thousand, what the caller says of export, and what is not known."""

from __future__ import annotations

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.inputs.readers.problems import note, problem

_KNOWN = "URDB's JSON with energyratestructure and its schedules, and DER-VET's CSV with Start Month, Charge, Value"


def per_thousand(price: float) -> float:
    """A price per kWh or kW as one per MWh or MW, without the rounding of the last digit."""
    return round(price * 1000.0, 9)


def stated_export(source: str, export: float | str) -> Finding:
    """That the caller, not the file, says what export is paid."""
    return note(f"{source} export", f"{export!r} is stated by the caller", "over what the file says")


def unknown_tariff(source: str, found: str) -> ScenarioError:
    """The error for a file of another format."""
    return problem("unknown_format", source, found, f"known formats are {_KNOWN}")
