"""AIHub's sidewalk surfaces (인도 보행 영상, surface masking): the colors of its official masks.

The masks that the set ships are told by label and attribute. Colors are as public code that reads
those masks has them; five were checked against masks of the set. One source of four has (128, 96,
96) for damaged braille blocks.
"""

from __future__ import annotations

from types import MappingProxyType

ATTRIBUTE = "attribute"
# In the order of the set's own guide, by label and value of the attribute.
COLORS = MappingProxyType(
    {
        "sidewalk/blocks": (0, 0, 255),
        "sidewalk/cement": (217, 217, 217),
        "sidewalk/urethane": (198, 89, 17),
        "sidewalk/asphalt": (128, 128, 128),
        "sidewalk/soil_stone": (255, 230, 153),
        "sidewalk/damaged": (55, 86, 35),
        "sidewalk/other": (110, 168, 70),
        "braille_guide_blocks/normal": (255, 255, 0),
        "braille_guide_blocks/damaged": (128, 96, 0),
        "roadway/normal": (255, 128, 255),
        "roadway/crosswalk": (255, 0, 255),
        "alley/normal": (230, 170, 255),
        "alley/crosswalk": (208, 88, 255),
        "alley/speed_bump": (138, 60, 200),
        "alley/damaged": (88, 38, 128),
        "bike_lane": (255, 155, 155),
        "caution_zone/stairs": (255, 192, 0),
        "caution_zone/manhole": (255, 0, 0),
        "caution_zone/tree_zone": (0, 255, 0),
        "caution_zone/grating": (255, 128, 0),
        "caution_zone/repair_zone": (105, 105, 255),
    }
)
LABELS = frozenset(name.partition("/")[0] for name in COLORS)
