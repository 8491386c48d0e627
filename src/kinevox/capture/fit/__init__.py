"""Poses a head so that its landmarks fall on those of a video.

`timeline` puts landmarks on even frames, `camera` guesses what is not known, `person` finds the
neutral face, `calibrate` says what open and closed mean on it, `frames` finds weights and poses
(`linearize` and `smooth` are its two halves), `result` bridges gaps and states how good it is. See
docs/capture_fit.md.
"""

from kinevox.capture.fit._fit import fit

__all__ = ["fit"]
