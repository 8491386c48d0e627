"""How well motion matches a reference, a voice, a style: one family of metrics per file.

A family is a module with a tuple `METRICS` of descriptors, `validate()`, one pure function per
metric and `evaluate() -> {name: value}`. `docs/metrics.md` is printed from the descriptors.
"""

from kinevox.catalog import Catalog
from kinevox.metrics._base import Metric

FAMILIES = Catalog("kinevox.metrics", "METRICS", "metric family")
"""Each part is a tuple of `Metric`."""

METRICS: dict[str, Metric] = {metric.name: metric for _, family in FAMILIES for metric in family}
"""Every metric by name, family after family."""

__all__ = ["FAMILIES", "METRICS", "Metric"]
