"""DiffPoseTalk: diffusion of face and head, in the style of an example.

A style encoder turns a few seconds of anybody's motion into a vector; a transformer then draws
motion from noise, window by window, that fits the speech and the style. The same speech has many
performances, one per seed.

Source: Sun et al. 2024, "DiffPoseTalk: Speech-Driven Stylistic 3D Facial Animation and Head Pose
Generation via Diffusion Models", ACM TOG 43(4). What differs is listed in
docs/methods/diffposetalk.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from kinevox import timebase
from kinevox.errors import AssetError, ConfigError, UnknownNameError
from kinevox.methods._base import ExtractedStyle, Performance, SamplingOptions
from kinevox.methods.diffposetalk.config import BASE, StyleConfig
from kinevox.motion import Motion, MotionLayout
from kinevox.speech import Speech
from kinevox.timing import stage
from kinevox.training import Trainable

if TYPE_CHECKING:
    from kinevox.methods.diffposetalk.network import DiffPoseTalkNetwork
    from kinevox.methods.diffposetalk.sampling import Sampling
    from kinevox.methods.diffposetalk.style import StyleEncoder


WEIGHTS = Path(__file__).parent / "weights" / "base"
"""What the method performs with unless told otherwise."""


@dataclass(frozen=True)
class Style:
    """How somebody moves."""

    vector: tuple[float, ...] = ()
    """As the style encoder puts it; empty for nobody in particular."""
    manner: tuple[float, ...] = ()
    """As measured on the example, by `manner.py`; empty where it is too short."""
    seconds: float = 0.0
    """Of the example that was measured."""


@dataclass(frozen=True, eq=False)
class DiffPoseTalk:
    """The method; see `kinevox.methods`. Without a network it uses that of the package."""

    name: ClassVar[str] = "diffposetalk"
    summary: ClassVar[str] = "Diffusion of face and head, in the style of an example"
    references: ClassVar[tuple[str, ...]] = (
        "@article{sun2024diffposetalk, title={DiffPoseTalk: Speech-Driven Stylistic 3D Facial "
        "Animation and Head Pose Generation via Diffusion Models}, author={Sun, Zhiyao and Lv, "
        "Tian and Ye, Sheng and Lin, Matthieu and Sheng, Jenny and Wen, Yu-Hui and Yu, Minjing "
        "and Liu, Yong-Jin}, journal={ACM Transactions on Graphics}, volume={43}, number={4}, "
        "year={2024}}",
        "@article{lu2022dpmsolverpp, title={DPM-Solver++: Fast Solver for Guided Sampling of "
        "Diffusion Probabilistic Models}, author={Lu, Cheng and Zhou, Yuhao and Bao, Fan and "
        "Chen, Jianfei and Li, Chongxuan and Zhu, Jun}, journal={arXiv:2211.01095}, year={2022}}",
    )
    style_suffix: ClassVar[str] = ".style"
    style_hears: ClassVar[bool] = False
    takes_words: ClassVar[bool] = True
    stages: ClassVar[Mapping[str, Trainable]] = {
        "diffposetalk-style": StyleConfig(),
        "diffposetalk": BASE,
    }

    network: DiffPoseTalkNetwork | None = None
    sampling: Sampling | None = None
    """None for the usual one."""
    named: Path | None = None
    """Folder of named styles; None without a network for those of the package."""

    @property
    def bundled(self) -> Path | None:
        """Folder of the weights of the package, where it brings some."""
        return WEIGHTS if (WEIGHTS / "checkpoint.json").is_file() else None

    def load(self, folder: Path) -> DiffPoseTalk:
        """The method with the weights of a run or checkpoint.

        A speech encoder in a folder `encoder` beside the weights belongs to them, and so do named
        styles in a folder `styles` and what styles let expect, in `calibration.npz`.

        Raises:
            AssetError: there are none, or they belong to another network.
        """
        from kinevox.methods.diffposetalk.calibration_file import read_calibration
        from kinevox.methods.diffposetalk.network_file import read_network
        from kinevox.training.checkpoint import CALIBRATION

        network, place = read_network(folder)
        if (place / CALIBRATION).is_file():
            read_calibration(place / CALIBRATION, network)
        return replace(self, network=network, named=place / "styles")

    def debug(self) -> DiffPoseTalk:
        """The method with a tiny untrained network that moves little, for tests."""
        import numpy as np
        import torch

        from kinevox.data.normalize import Statistics
        from kinevox.motion import ARKIT
        from kinevox.training import Space

        small = np.full(ARKIT.num_channels, 0.01, np.float32)
        space = Space(ARKIT, timebase.FPS, Statistics(ARKIT.neutral, small), ())
        config = replace(
            BASE,
            encoder="mel",
            features=320,
            width=16,
            layers=1,
            heads=2,
            style_width=16,
            style_layers=1,
        )
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return replace(self, network=config.build(space).eval())

    def styles(self) -> Mapping[str, Style]:
        """Those beside the weights, and `nobody`: no style is followed.

        Where there are none beside the weights, `neutral` is nobody too.
        """
        from kinevox.methods.diffposetalk.style_file import read_style

        found = {name: read_style(path)[0] for name, path in self._style_files().items()}
        if self.network is not None and self.network.config.style_from == "performers":
            vectors = self.network.performers.weight.tolist()
            names = self.network.space.styles
            found |= {name: Style(tuple(v)) for name, v in zip(names, vectors, strict=True)}
        return {"neutral": Style(), **found, "nobody": Style()}

    def load_style(self, source: str | Path | None) -> Style:
        """The style of a clip of motion, of a `.style` file, or by name.

        Raises:
            UnknownNameError: neither a known style nor an existing file.
            AssetError: a clip cannot be read as a style without weights.
            MotionError: the file holds no style, that of another encoder, or motion of another
                layout.
        """
        name = "neutral" if source is None else str(source)
        styles, files = self.styles(), self._style_files()
        if name in styles and name not in files:
            return styles[name]
        path = files.get(name, Path(name))
        if not path.is_file():
            known = "a clip of motion, a video or a file *.style"
            raise UnknownNameError("style", name, styles, files=known)
        from kinevox.methods.diffposetalk.style_file import load_style

        return load_style(path, self._style_encoder())

    def extract_style(
        self,
        motions: Sequence[Motion],
        speeches: Sequence[Speech] | None,
        progress: Callable[[int, int], None],
    ) -> ExtractedStyle:
        """What all stretches of the clips have in common; their sound makes no difference.

        Raises:
            AssetError: no weights were loaded.
        """
        from kinevox.methods.diffposetalk.style_file import style_from

        progress(0, 1)
        return ExtractedStyle(style_from(self._style_encoder(), *motions))

    def describe_style(self, style: Style) -> Mapping[str, str]:
        """How much and how quickly somebody with the style is expected to move."""
        from kinevox.methods.diffposetalk.description import described

        return described(self._loaded(), style)

    def save_style(self, style: Style, path: Path) -> None:
        """Writes the style, with the digest of the encoder that it belongs to."""
        from kinevox.methods.diffposetalk.style_file import write_style

        write_style(path, style, self._style_encoder())

    def mix_styles(self, styles: Sequence[Style], weights: Sequence[float]) -> Style:
        """The direction between these, as long as they are: only directions are trained to mean
        something, and the mean of two is shorter than either. What was measured is between, too.

        Raises:
            ConfigError: one is nobody's, or they cancel each other out.
        """
        import numpy as np

        counted = [(style, weight) for style, weight in zip(styles, weights, strict=True) if weight]
        styles, weights = zip(*counted, strict=True)
        if not all(style.vector for style in styles):
            raise ConfigError(
                "Nobody's style cannot be mixed with others. --style-scale makes a style weaker."
            )
        vectors = np.array([style.vector for style in styles])
        mean = np.average(vectors, axis=0, weights=weights)
        length = np.average(np.linalg.norm(vectors, axis=1), weights=weights)
        if np.linalg.norm(mean) < 1e-3 * length:
            raise ConfigError("These styles are opposites, with nothing between them.")
        vector = tuple((mean * length / np.linalg.norm(mean)).tolist())
        if not all(style.manner for style in styles):
            return Style(vector)
        manner = np.average([style.manner for style in styles], axis=0, weights=weights)
        seconds = float(np.average([style.seconds for style in styles], weights=weights))
        return Style(vector, tuple(manner.tolist()), seconds)

    def with_sampling(self, options: SamplingOptions) -> DiffPoseTalk:
        """The method, drawing in another way.

        Raises:
            AssetError: no weights were loaded.
            ConfigError: a choice is out of its range.
        """
        return replace(self, sampling=self._sampling().changed(options))

    def output_layout(self) -> MotionLayout:
        """That of the corpus which the network has learned from.

        Raises:
            AssetError: no weights were loaded.
        """
        return self._loaded().space.layout

    def generate(
        self, speech: Speech, style: Style, *, seed: int = 0, fps: float = timebase.FPS
    ) -> Motion:
        """A take of the whole recording; another seed gives another one.

        Raises:
            AssetError: no weights were loaded.
        """
        return self.generate_all([Performance(speech, style, seed)], fps=fps)[0]

    def generate_all(
        self, performances: Sequence[Performance], *, fps: float = timebase.FPS
    ) -> list[Motion]:
        """Takes and recordings side by side; each is what it is alone, but for rounding.

        Raises:
            AssetError: no weights were loaded.
        """
        from kinevox.methods.diffposetalk.performances import perform_all

        return perform_all(self._loaded(), performances, self._sampling(), fps)

    def _sampling(self) -> Sampling:
        from kinevox.methods.diffposetalk.sampling import usual_sampling

        network = self._loaded()
        return self.sampling or usual_sampling(network.config, network.drawn_in)

    def _loaded(self) -> DiffPoseTalkNetwork:
        if self.network is not None:
            return self.network
        if self.bundled is None:
            raise AssetError(
                "This kinevox was built without weights for method 'diffposetalk'. Use --method "
                "articulate, or train some with `kinevox train diffposetalk-style` and `kinevox "
                "train diffposetalk`, then use the method as 'diffposetalk:RUN'."
            )
        return _network_in(self.bundled)

    def _style_encoder(self) -> StyleEncoder:
        network = self._loaded()
        if network.config.style_from != "encoder":
            raise ConfigError(
                "This network was trained with a vector for each performer instead of a style "
                "encoder; it knows these by name, and can read no other style."
            )
        return network.style_encoder

    def _style_files(self) -> dict[str, Path]:
        folder = self.named if self.network is not None else WEIGHTS / "styles"
        files = [] if folder is None else sorted(folder.glob("*.style"))
        return {path.stem: path for path in files}


@cache
def _network_in(folder: Path) -> DiffPoseTalkNetwork:
    """Read once, when first needed."""
    with stage("weights"):
        network = METHOD.load(folder).network
    assert network is not None
    return network


METHOD = DiffPoseTalk()
