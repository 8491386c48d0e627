"""Configurations of the style encoder and the denoiser, and how they are trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from kinevox.data import Corpus
from kinevox.data.windows import WindowShape
from kinevox.errors import AssetError, ConfigError, UnknownNameError
from kinevox.methods.articulate.style import STYLE_FACTORS
from kinevox.methods.diffposetalk.config_checks import (
    check_choices,
    check_counts,
    check_rate,
    check_shares,
    check_sizes,
)
from kinevox.training import Space, TrainingOptions, run

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from kinevox.data.features import Features
    from kinevox.methods.diffposetalk.network import DiffPoseTalkNetwork
    from kinevox.methods.diffposetalk.style import StyleEncoder
    from kinevox.training.batch import Batch

PositionKind = Literal["learned", "sinusoidal", "sinusoidal-published", "rotary"]
LEAD, TAIL = 50, 6
"""Sound around a window, from which encoder `mel` knows the speaker's level [frames]."""
GAP = 10
"""Between two clips of one recording, as the paper has it [frames]."""


@dataclass(frozen=True)
class StyleConfig:
    """The style encoder: how somebody moves, from a few seconds of it, as one vector."""

    name: ClassVar[str] = "diffposetalk-style"
    training: ClassVar[TrainingOptions] = TrainingOptions(
        steps=26_000, batch=32, learning_rate=1e-4, balance="style"
    )
    decided_by: ClassVar[str] = "decisive"

    from_run: str = ""
    """Run of diffposetalk-style to go on from, for example on more people."""
    width: int = 128
    """Of the transformer and of the style."""
    layers: int = 2
    """Of the transformer."""
    heads: int = 4
    """Of each attention."""
    ratio: int = 4
    """Width of the small network in each layer, against that of the transformer."""
    dropout: float = 0.1
    """Share that is dropped in training."""
    movement: bool = True
    """See steps from frame to frame beside poses, and keep spreads over time beside means; the
    paper keeps means alone."""
    positions: PositionKind = "sinusoidal"
    """How order is told; `sinusoidal-published` does not tell it, as in the released models."""
    clip: int = 100
    """Frames that a style is taken from."""
    temperature: float = 0.1
    """Of the contrastive loss."""
    pairs: Literal["elsewhere", "near"] = "elsewhere"
    """What belongs together: clips from two recordings of one person, or, as in the paper, from
    two moments of one recording."""
    same_pose: float = 0.3
    """Share of batches in which all clips are given one mean pose. People are told apart by how
    they look at rest, unless nobody looks different: then how they move must do."""
    factors: tuple[str, ...] = tuple(STYLE_FACTORS)
    """Factors of `articulate`'s styles that can be read from a style, by one linear map, where the
    corpus knows them; a contrast alone keeps what tells people apart and drops the rest."""
    fixed: tuple[str, ...] = ()
    """Channels or groups of channels that are left out."""

    def __post_init__(self) -> None:
        check_sizes(self.width, self.layers, self.heads, self.dropout)
        check_choices(self)
        # Of a single frame nothing moves.
        check_counts(self, "clip", least=2)
        check_counts(self, "ratio")
        check_shares(self, "same_pose")
        if not self.temperature > 0:
            raise ConfigError(f"temperature is {self.temperature}; it must be positive.")
        unknown = [name for name in self.factors if name not in STYLE_FACTORS]
        if unknown:
            raise UnknownNameError("style factor", unknown[0], STYLE_FACTORS)

    @property
    def windows(self) -> WindowShape:
        if self.pairs == "near":
            return WindowShape(2 * self.clip + GAP, factors=self.factors)
        return WindowShape(self.clip, other=self.clip, factors=self.factors)

    @property
    def loss_weights(self) -> Mapping[str, float]:
        return {"contrast": 1.0} | ({"factors": 2.0} if self.factors else {})

    def build(self, space: Space) -> StyleEncoder:
        from kinevox.methods.diffposetalk.style import StyleEncoder

        check_rate(space)
        return StyleEncoder(self, space)

    @property
    def origin(self) -> str:
        return self.from_run

    def begin(self, network: StyleEncoder) -> None:
        """Gives a new network the weights it goes on from.

        Raises:
            AssetError: there are none, or they are of another size.
        """
        from kinevox.training.checkpoint import read_checkpoint
        from kinevox.training.origin import adopt

        if self.from_run:
            trained = read_checkpoint(run.run_folder(self.from_run), self)
            adopt(network, trained.network.state_dict())

    def fake_batch(self, space: Space) -> Batch:
        from kinevox.training.batch import fake_batch

        return fake_batch(space, self.windows, 4)

    def loss(
        self, network: StyleEncoder, batch: Batch, generator: Generator
    ) -> Mapping[str, Tensor]:
        """NT-Xent over the persons of the batch, and the error of factors."""
        from kinevox.methods.diffposetalk.style_training import style_loss

        return style_loss(network, batch, generator)

    def validate(self, network: StyleEncoder, corpus: Corpus) -> Mapping[str, float]:
        """The same on unseen people, and how often the wrong one is taken for the right."""
        from kinevox.methods.diffposetalk.style_training import validation_scores

        return validation_scores(network, corpus)


@dataclass(frozen=True)
class DiffPoseTalkConfig:
    """The denoiser. Defaults are the preset `base`."""

    name: ClassVar[str] = "diffposetalk"
    training: ClassVar[TrainingOptions] = TrainingOptions(steps=100_000, learning_rate=3e-4)
    decided_by: ClassVar[str] = "error"

    encoder: str = "speech"
    """What hears: `mel`, or a speech encoder by name or folder."""
    features: int = 256
    """Channels of the encoder's features."""
    style_from: Literal["encoder", "performers"] = "encoder"
    """What makes styles: an encoder, or, to compare, a vector learned for each performer of the
    training, which says nothing about anybody else."""
    style_run: str = ""
    """Run of diffposetalk-style whose encoder is used; by default that of the run gone on from."""
    from_run: str = ""
    """Run of diffposetalk to go on from, perhaps with another style encoder."""
    taught_by: str = ""
    """Run of diffposetalk that this one begins as, and whose guided drawing it then learns to do
    without guidance and in few steps."""
    few_steps: int = 8
    """Steps in which a network that is taught draws."""
    teacher_steps: int = 32
    """Steps in which its teacher draws the same; a multiple."""
    spacing: float = 1.0
    """How steps of both lie: 1 is at even distance, more spends more in noise, less fewer."""
    style_layers: int = 2
    """Of that encoder."""
    style_width: int = 128
    """Of that encoder."""
    style_heads: int = 4
    """Of that encoder."""
    style_ratio: int = 4
    """Of that encoder."""
    style_positions: PositionKind = "sinusoidal"
    """Of that encoder."""
    style_movement: bool = True
    """Of that encoder."""
    style_pieces: int = 10
    """A style in training is what so many pieces of other recordings have in common. A style that
    is read from little is often wrong about how somebody moves, and what is often wrong is hardly
    followed."""

    width: int = 256
    """Of the transformer."""
    layers: int = 8
    """Of the transformer."""
    heads: int = 4
    """Of each attention."""
    ratio: int = 4
    """Width of the small network in each layer, against that of the transformer."""
    dropout: float = 0.0
    """Share that is dropped in training."""
    pre_norm: bool = True
    """Normalize what goes into a part of a layer rather than what comes out."""
    modulation: bool = True
    """Let the person token scale and shift what every layer computes, beside being looked at."""
    positions: PositionKind = "rotary"
    """How frames know their place."""
    reach: int = 1
    """A frame hears the sound less than this many frames away; 0 lets it hear all of it."""
    person_hears: bool = False
    """Whether the person token hears too."""
    indicator: bool = True
    """Tell frames of the window from context and padding by a channel of their own."""
    identity: int = 6
    """Numbers that describe the shape of the head: Anny's phenotype, or FLAME's coefficients."""
    fixed: tuple[str, ...] = ()
    """Channels or groups of channels that stay neutral, such as `head`."""
    window: int = 100
    """Frames that are made together."""
    context: int = 10
    """Frames before them that are known."""
    steps: int = 500
    """Of diffusion in training; sampling takes few of them."""
    schedule: Literal["cosine", "linear", "quadratic", "sigmoid"] = "cosine"
    """How noise grows."""
    late_steps: bool = True
    """Train on noisy steps more often, on the last three times as often as on the first, and spread
    the steps of a batch evenly: in noise, sound and style decide, and sampling begins there."""

    guessed_phones: bool = False
    """Learn from clips too whose lips follow phones that were recognized rather than known."""
    head: str = "anny"
    """Head on which motion is measured in training; none if empty."""
    vertices: float = 2e6
    """Weight of the squared distance of vertices [1/m^2]."""
    lips: float = 2e5
    """Weight of that of the lips alone [1/m^2]."""
    velocity: float = 1e7
    """Weight of the squared error of vertices' steps from frame to frame [1/m^2]."""
    smooth: float = 1e5
    """Weight of the squared change of those steps [1/m^2]."""
    head_angle: float = 0.05
    """Weight of the head's rotation, on top of its share in the simple loss."""
    head_velocity: float = 40.0
    """Weight of its steps."""
    head_smooth: float = 0.5
    """Weight of the change of its steps."""
    head_seam: float = 0.5
    """Weight of the change of its steps where a window follows another."""
    criterion: Literal["l2", "l1"] = "l2"
    """Squares or absolute values."""
    constrain_context: bool = True
    """Compare what the network makes of the context too."""
    drop_style: float = 0.15
    """Share of samples that learn without style."""
    drop_both: float = 0.1
    """Share of samples that learn without style and without sound."""
    drop_sound: float = 0.05
    """Share of samples that learn with style and without sound: then sound alone can be guided."""
    truncate_first: float = 0.3
    """Share of batches whose first window ends early."""
    truncate_second: float = 0.4
    """Share of batches whose second window ends early."""
    own_context: float = 0.3
    """Share of second windows that follow what was predicted for the first, not the truth."""
    style_of: Literal["elsewhere", "swap"] = "elsewhere"
    """Whose style a window gets: of another recording of the person, or, as in the paper, of the
    other window."""

    def __post_init__(self) -> None:
        check_sizes(self.width, self.layers, self.heads, self.dropout)
        check_choices(self)
        check_counts(self, "features", "style_ratio", "ratio", "style_pieces", "steps")
        check_counts(self, "few_steps", "teacher_steps")
        check_counts(self, "identity", least=0)
        check_counts(self, "window", least=2)
        check_shares(self, "drop_style", "drop_both", "drop_sound")
        check_shares(self, "truncate_first", "truncate_second", "own_context")
        if not 0 < self.context <= self.window:
            raise ConfigError(
                f"context is {self.context}, window {self.window}; the context must have at least "
                "one frame and no more than a window."
            )
        if self.drop_style + self.drop_both + self.drop_sound > 1:
            raise ConfigError(
                f"drop_style {self.drop_style}, drop_both {self.drop_both} and drop_sound "
                f"{self.drop_sound} are more than 1."
            )
        if self.taught_by and self.teacher_steps > self.steps:
            raise ConfigError(
                f"teacher_steps is {self.teacher_steps}; diffusion has {self.steps} steps."
            )
        if self.teacher_steps % self.few_steps:
            raise ConfigError(
                f"few_steps is {self.few_steps}, teacher_steps {self.teacher_steps}; each step "
                "stands for as many of the teacher, so expected a multiple."
            )
        if not self.spacing > 0:
            raise ConfigError(
                f"spacing is {self.spacing}; expected 1 (even steps), more (more of them in "
                "noise), or less, but above 0."
            )
        if self.taught_by and (self.from_run or self.style_run):
            raise ConfigError(
                "A network that is taught begins as its teacher, style encoder included; leave "
                "from_run and style_run out."
            )
        if self.modulation and not self.pre_norm:
            raise ConfigError(
                "modulation changes what was normalized before it goes into a layer; set pre_norm "
                "too, or leave modulation out."
            )
        if not self.person_hears and self.reach != 1:
            raise ConfigError(
                f"reach is {self.reach}; frames that choose what they hear need an attention, so "
                "set person_hears too."
            )

    @property
    def style(self) -> StyleConfig:
        """The encoder that belongs to this denoiser, which has no use for factors."""
        return StyleConfig(
            width=self.style_width,
            layers=self.style_layers,
            heads=self.style_heads,
            ratio=self.style_ratio,
            positions=self.style_positions,
            movement=self.style_movement,
            factors=(),
            clip=self.window,
            fixed=self.fixed,
        )

    @property
    def windows(self) -> WindowShape:
        other, others = (self.window, self.style_pieces) if self.style_of == "elsewhere" else (0, 1)
        return WindowShape(
            2 * self.window, LEAD, TAIL, other=other, others=others, identity=self.identity
        )

    @property
    def loss_weights(self) -> Mapping[str, float]:
        vertices = {
            name: getattr(self, name) for name in ("vertices", "lips", "velocity", "smooth")
        }
        turns = {
            name: getattr(self, name)
            for name in ("head_angle", "head_velocity", "head_smooth", "head_seam")
        }
        weights = vertices if self.head else {}
        weights |= {} if "head" in self.fixed else turns
        if self.taught_by:
            # The teacher's motion is as smooth as it should be.
            weights = {name: weights[name] for name in weights if name not in _SMOOTHING}
        return {"simple": 1.0} | {name: weight for name, weight in weights.items() if weight}

    def build(self, space: Space) -> DiffPoseTalkNetwork:
        from kinevox.methods.diffposetalk.network import DiffPoseTalkNetwork

        check_rate(space)
        return DiffPoseTalkNetwork(self, space)

    @property
    def origin(self) -> str:
        return self.taught_by or self.from_run or self.style_run

    def begin(self, network: DiffPoseTalkNetwork) -> None:
        """Gives a new network its trained style encoder, and the weights it goes on from.

        Raises:
            AssetError: there is none, or it belongs to another network or corpus.
        """
        from kinevox.methods.diffposetalk.network import adopt_style_encoder, adopt_weights
        from kinevox.training.checkpoint import read_checkpoint

        if origin := self.from_run or self.taught_by:
            before = read_checkpoint(run.run_folder(origin), self)
            adopt_weights(network, before)
            if not self.style_run:
                encoder = cast("DiffPoseTalkNetwork", before.network).style_encoder
                adopt_style_encoder(network, encoder)
        if self.style_from == "performers" or (origin and not self.style_run):
            return
        if not self.style_run:
            raise AssetError(
                "Training 'diffposetalk' needs a style encoder. Train one with `kinevox train "
                "diffposetalk-style --corpus CORPUS --out STYLE`, then give --network.style-run "
                "STYLE."
            )
        folder = run.run_folder(self.style_run)
        encoder = cast("StyleEncoder", read_checkpoint(folder, self.style).network)
        adopt_style_encoder(network, encoder)

    def learns_from(self, metadata: Mapping[str, Any]) -> bool:
        """Lips that follow wrong phones teach to mumble."""
        return self.guessed_phones or metadata.get("phones") != "recognized"

    def kept_features(
        self, corpus: Corpus, progress: Callable[[str, int, int], None]
    ) -> Features | None:
        """The encoder's features of a whole corpus, computed once; None for `mel`."""
        from kinevox.data.features import encoded
        from kinevox.methods.diffposetalk.hearing import MelEncoder, encoder_named

        encoder = encoder_named(self.encoder)
        if isinstance(encoder, MelEncoder):
            return None
        return encoded(corpus, encoder, progress=progress)

    def fake_batch(self, space: Space) -> Batch:
        from kinevox.training.batch import fake_batch

        return fake_batch(space, self.windows, 8)

    def loss(
        self, network: DiffPoseTalkNetwork, batch: Batch, generator: Generator
    ) -> Mapping[str, Tensor]:
        """The terms of the paper's loss, over two windows that follow each other."""
        from kinevox.methods.diffposetalk.distillation import distillation_loss
        from kinevox.methods.diffposetalk.training import two_window_loss

        if self.taught_by:
            return distillation_loss(network, batch, generator)
        return two_window_loss(network, batch, generator)

    def validate(self, network: DiffPoseTalkNetwork, corpus: Corpus) -> Mapping[str, float]:
        """Errors of denoising on unseen people, and how lively what is generated is."""
        from kinevox.methods.diffposetalk.validation import validation_scores

        return validation_scores(network, corpus)


_SMOOTHING = ("smooth", "head_smooth", "head_seam")
"""Terms that ask for calm motion whatever the truth."""


BASE = DiffPoseTalkConfig()

PAPER = replace(
    BASE,
    encoder="hubert",
    features=768,
    width=512,
    heads=8,
    dropout=0.1,
    style_layers=4,
    style_movement=False,
    style_pieces=1,
    pre_norm=False,
    late_steps=False,
    modulation=False,
    positions="learned",
    person_hears=True,
    identity=100,
    fixed=("jaw_y", "jaw_z"),
    head="flame",
    lips=0.0,
    head_velocity=5.0,
    drop_style=0.35,
    drop_sound=0.0,
    own_context=0.0,
    style_of="swap",
)
"""As published, for motion of layout `flame`; with its frozen instead of a tuned HuBERT."""

PRESETS = {"base": BASE, "paper": PAPER}
