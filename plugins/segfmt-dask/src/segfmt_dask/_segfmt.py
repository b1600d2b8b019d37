"""What segfmt has that is not among its public names."""

from segfmt.files import STATE_FOLDER, sweep
from segfmt.format import Map

__all__ = ["STATE_FOLDER", "Map", "sweep"]
