"""The plain baseline: speech features through a transformer, trained by mean squared error.

Deterministic, with a style per training performer, as the older methods do it (VOCA, FaceFormer).
Mean squared error predicts the average of what a face might do, so whatever speech leaves open,
such as head motion, comes out flat. That is what generative methods have to beat.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from kinevox import timebase
from kinevox.errors import AssetError, UnknownNameError
from kinevox.methods._base import WINDOW_BORDERS
from kinevox.methods.regressor.config import RegressorConfig
from kinevox.motion import Motion, MotionLayout
from kinevox.speech import Speech
from kinevox.training import Trainable

if TYPE_CHECKING:
    from kinevox.methods.regressor.network import RegressorNetwork


@dataclass(frozen=True)
class TrainedStyle:
    """How one of the performers of the training moves, or all of them on average."""

    place: int
    """Among the performers of the training; -1 is the average of all."""


NEUTRAL = TrainedStyle(-1)


@dataclass(frozen=True, eq=False)
class Regressor:
    """The method; see `kinevox.methods`. Without a network it can only be trained."""

    name: ClassVar[str] = "regressor"
    summary: ClassVar[str] = "Baseline: a transformer trained by mean squared error; needs weights"
    references: ClassVar[tuple[str, ...]] = (
        "@inproceedings{fan2022faceformer, title={FaceFormer: Speech-Driven 3D Facial Animation "
        "with Transformers}, author={Fan, Yingruo and Lin, Zhaojiang and Saito, Jun and Wang, "
        "Wenping and Komura, Taku}, booktitle={CVPR}, year={2022}}",
    )
    stages: ClassVar[Mapping[str, Trainable]] = {"regressor": RegressorConfig()}
    deterministic: ClassVar[bool] = True
    bundled: ClassVar[None] = None

    network: RegressorNetwork | None = None

    def load(self, folder: Path) -> Regressor:
        """The method with the weights of a run or checkpoint.

        Raises:
            AssetError: there are none, or they belong to another network.
        """
        from kinevox.training.checkpoint import read_checkpoint

        return replace(self, network=read_checkpoint(folder, RegressorConfig()).network)

    def debug(self) -> Regressor:
        """The method with a tiny untrained network, for tests."""
        import numpy as np

        from kinevox.data.normalize import Statistics
        from kinevox.motion import ARKIT
        from kinevox.training import Space

        statistics = Statistics(ARKIT.neutral, np.ones(ARKIT.num_channels, np.float32))
        space = Space(ARKIT, timebase.FPS, statistics, ("p0", "p1"))
        config = RegressorConfig(width=16, layers=1, heads=2)
        return replace(self, network=config.build(space).eval())

    def styles(self) -> Mapping[str, TrainedStyle]:
        """`neutral`, and the performers of the training."""
        names = () if self.network is None else self.network.space.styles
        return {"neutral": NEUTRAL} | {name: TrainedStyle(i) for i, name in enumerate(names)}

    def load_style(self, source: str | Path | None) -> TrainedStyle:
        """A performer of the training by name, or by place as the older methods do ("7").

        Raises:
            UnknownNameError: neither; unseen people cannot be imitated by this method.
        """
        styles = self.styles()
        name = "neutral" if source is None else str(source)
        if name not in styles and name.isdecimal() and int(name) < len(styles) - 1:
            return TrainedStyle(int(name))
        if name not in styles:
            raise UnknownNameError("style", name, styles)
        return styles[name]

    def output_layout(self) -> MotionLayout:
        """That of the corpus which the network has learned from.

        Raises:
            AssetError: no weights were loaded.
        """
        return self._loaded().space.layout

    def generate(
        self, speech: Speech, style: TrainedStyle, *, seed: int = 0, fps: float = timebase.FPS
    ) -> Motion:
        """The motion of the whole recording. The seed makes no difference.

        Raises:
            AssetError: no weights were loaded.
        """
        from kinevox.methods.regressor.perform import perform, window_borders

        network = self._loaded()
        space = network.space
        values = perform(network, speech.samples, style.place)
        borders = " ".join(f"{time:g}" for time in window_borders(network, len(values)))
        motion = Motion(values, space.fps, space.layout, {WINDOW_BORDERS: borders})
        if timebase.exact_fps(fps) == timebase.exact_fps(space.fps):
            return motion
        count = timebase.num_frames(len(speech.samples), timebase.SAMPLE_RATE, fps)
        return motion.replace(values=motion.sample(timebase.frame_times(count, fps)), fps=fps)

    def _loaded(self) -> RegressorNetwork:
        if self.network is None:
            raise AssetError(
                "Method 'regressor' has no weights of its own. Train some with `kinevox train "
                "regressor --corpus performers --out RUN`, then use the method as 'regressor:RUN'."
            )
        return self.network


METHOD = Regressor()
