"""Ways to turn speech into motion, one per file or folder; `METHODS` lists them by name."""

from kinevox.catalog import Catalog
from kinevox.methods._base import (
    WINDOW_BORDERS,
    ExtractedStyle,
    LearnedMethod,
    Method,
    Performance,
    SampledMethod,
    SamplingOptions,
    StyleMixer,
    StyleReader,
)
from kinevox.methods._load import default_method, load_method, trainables

METHODS = Catalog("kinevox.methods", "METHOD", "method")

__all__ = [
    "METHODS", "WINDOW_BORDERS", "ExtractedStyle", "LearnedMethod", "Method", "Performance",
    "SampledMethod", "SamplingOptions", "StyleMixer", "StyleReader", "default_method",
    "load_method", "trainables",
]  # fmt: skip
