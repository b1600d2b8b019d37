"""AIHub's sidewalk surfaces, as the set declares and draws them."""

from cvat_files import SQUARE, attribute, label, polygon, value

VALUES = {
    "caution_zone": ["stairs", "manhole", "tree_zone", "grating", "repair_zone"],
    "bike_lane": [],
    "alley": ["normal", "crosswalk", "speed_bump", "damaged"],
    "roadway": ["normal", "crosswalk"],
    "braille_guide_blocks": ["normal", "damaged"],
    "sidewalk": ["blocks", "cement", "urethane", "asphalt", "soil_stone", "damaged", "other"],
}
SURFACE_LABELS = "".join(
    label(name, *([attribute("attribute", "radio", values, values[0])] if values else []))
    for name, values in VALUES.items()
)


def surface(name: str, kind: str = "", points: str = SQUARE, **attributes: object) -> str:
    inside = [value(kind)] if kind else []
    return polygon(name, points, *inside, **attributes)
