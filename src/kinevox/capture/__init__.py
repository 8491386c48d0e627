"""From a video of a face to motion: track landmarks, then fit a head to them.

`video` decodes, `track` finds faces, `fit` poses a head so that its landmarks fall on theirs.
"""

from kinevox.capture._base import Camera, Capture, Landmarks, Shot

__all__ = ["Camera", "Capture", "Landmarks", "Shot"]
