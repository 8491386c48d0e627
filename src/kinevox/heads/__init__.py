"""Head models, one per file; `HEADS` lists them by name."""

from kinevox.catalog import Catalog
from kinevox.heads._base import BlendshapeHead, Head, Part, Regions, inner_lip_gap
from kinevox.heads._load import load_head

HEADS = Catalog("kinevox.heads", "HEAD", "head")
"""Each part is a function `HEAD(**options) -> Head`."""

__all__ = ["HEADS", "BlendshapeHead", "Head", "Part", "Regions", "inner_lip_gap", "load_head"]
