"""An evaluation as one HTML file that needs nothing else: tables, worst clips, curves, faces."""

from kinevox.evaluation.report.page import to_html

__all__ = ["to_html"]
