"""What `bess_opt.solar` is told about a PV plant: sizes, place, how it is built and how it reads the weather."""

from __future__ import annotations

from math import prod
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from bess_opt.common.clock import is_zone
from bess_opt.common.findings import Finding
from bess_opt.common.input_table import Count, Number, Table, Text, quantity, reject
from bess_opt.common.wording import show

Kind = Literal["tmy3", "tmy2", "epw", "pvgis_tmy", "pvgis_hourly", "nsrdb"]
PVWATTS_LOSSES = {
    "soiling": 0.02,
    "mismatch": 0.02,
    "wiring": 0.02,
    "connections": 0.005,
    "light": 0.015,
    "nameplate": 0.01,
}
LOSSES = 1.0 - prod(1.0 - share for share in PVWATTS_LOSSES.values())  # without shading and availability


def _known_zone(name: str | None) -> str | None:
    if name is not None and not is_zone(name):
        reject([Finding("unknown_zone", "", f"found {show(name)}", "give an IANA name such as 'Europe/Berlin'")])
    return name


class SolarPlant(Table):
    """What `bess_opt.solar` is told about the plant, its place and the reading of the weather."""

    where: ClassVar[str] = "solar"

    dc_mw: Annotated[Number, quantity("rated power of the array", "MW", gt=0)]
    inverter_mw: Annotated[Number, quantity("rated power of the inverter, AC side", "MW", gt=0)]
    latitude: Annotated[Number | None, quantity("of the site, north positive", "deg", ge=-90, le=90)] = None
    longitude: Annotated[Number | None, quantity("of the site, east positive", "deg", ge=-180, le=180)] = None
    altitude_m: Annotated[Number | None, quantity("height above the sea", "m", ge=-500, le=9000)] = None
    time_zone: Annotated[
        Text | None, AfterValidator(_known_zone), Field(description='clock of the result: "Europe/Berlin"')
    ] = None
    tilt_deg: Annotated[Number | None, quantity("of the modules or the tracker's axis", "deg", ge=0, le=90)] = None
    azimuth_deg: Annotated[Number | None, quantity("180 faces south", "deg", ge=0, le=360)] = None
    tracking: Annotated[Literal["fixed", "single_axis"], Field(description="how the modules are held")] = "fixed"
    step_min: Annotated[Number | None, quantity("step of the result", "min", gt=0, le=1440)] = None
    year: Annotated[Count | None, quantity("calendar of the result", "1", ge=1950, le=2100)] = None
    losses: Annotated[Number | None, quantity("share lost before the inverter", "1", ge=0, lt=1)] = None
    eta_inverter: Annotated[Number, quantity("nominal efficiency of the inverter", "1", gt=0, le=1)] = 0.96
    gamma_per_k: Annotated[
        Number, quantity("change of power with cell temperature", "1/K", ge=-0.02, le=0.02)
    ] = -0.0035
    albedo: Annotated[Number, quantity("share of light that the ground reflects", "1", ge=0, le=1)] = 0.2
    transposition: Annotated[Literal["haydavies", "perez"], Field(description="model of the sky")] = "haydavies"
    mounting: Annotated[
        Literal[
            "open_rack_glass_polymer", "open_rack_glass_glass", "close_mount_glass_glass",
            "insulated_back_glass_polymer", "freestanding", "semi_integrated", "insulated",
        ],
        Field(description="thermal model of the modules: SAPM's four, then PVsyst's three"),
    ] = "open_rack_glass_polymer"  # fmt: skip
    ground_cover: Annotated[Number, quantity("module over ground area of trackers", "1", gt=0, le=1)] = 0.35
    max_angle_deg: Annotated[Number, quantity("most turn of trackers", "deg", gt=0, le=90)] = 60.0
    kind: Annotated[Kind | None, Field(description="format of the file, if it cannot be told")] = None
    stamps: Annotated[
        Literal["start", "middle", "end"] | None,
        Field(description="which part of its interval a row's stamp marks, if not as the format says"),
    ] = None
