"""What a network tells the training loop, and what the loop tells a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from kinevox.data import Corpus
from kinevox.data.normalize import Statistics
from kinevox.data.windows import WindowShape
from kinevox.motion import MotionLayout
from kinevox.training.options import TrainingOptions

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn

    from kinevox.data.features import Features
    from kinevox.training.batch import Batch


@dataclass(frozen=True, eq=False)
class Space:
    """The motion a network is trained in; saved with its weights."""

    layout: MotionLayout
    fps: float
    statistics: Statistics
    styles: tuple[str, ...]
    """Whose motion was trained on, in the order of `Batch.style`."""


@runtime_checkable
class Trainable(Protocol):
    """A network that is trained on its own: a method, or one stage of it.

    A frozen dataclass without methods of torch at import: its fields are the network's
    configuration, plain numbers, texts and tuples of them, saved as JSON and shown as options.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    name: ClassVar[str]
    """`kinevox train NAME`."""
    training: ClassVar[TrainingOptions]
    """How it is trained unless told otherwise."""
    decided_by: ClassVar[str]
    """Which value of `validate` chooses the best checkpoint: the lowest one."""

    @property
    def windows(self) -> WindowShape:
        """What one sample holds."""
        ...

    @property
    def loss_weights(self) -> Mapping[str, float]:
        """Weight of each term of `loss`."""
        ...

    def build(self, space: Space) -> nn.Module:
        """The network, with weights from torch's current seed."""
        ...

    def fake_batch(self, space: Space) -> Batch:
        """Made-up samples of the right form."""
        ...

    def loss(self, network: Any, batch: Batch, generator: Generator) -> Mapping[str, Tensor]:
        """Named terms, each a mean over the real frames of the batch.

        Args:
            generator: Source of all noise; dropout may use torch's global one.
        """
        ...

    def validate(self, network: Any, corpus: Corpus) -> Mapping[str, float]:
        """Scores of the network on unseen clips; lower is better for `decided_by`."""
        ...


@runtime_checkable
class Continued(Protocol):
    """A network that may begin with the weights of another one, trained before."""

    @property
    def origin(self) -> str:
        """The run whose normalization of motion it takes over; nothing if it has its own."""
        ...

    def begin(self, network: Any) -> None:
        """Puts weights into a new network; called once, before the first step.

        Raises:
            AssetError: they are missing, or do not fit.
        """
        ...


@runtime_checkable
class Listening(Protocol):
    """A network that hears through a frozen speech encoder, so its features can be kept."""

    def kept_features(
        self, corpus: Corpus, progress: Callable[[str, int, int], None]
    ) -> Features | None:
        """Features of a whole corpus; None where they cost too little to be kept."""
        ...


@runtime_checkable
class Selective(Protocol):
    """A network that does not learn from every clip."""

    def learns_from(self, metadata: Mapping[str, Any]) -> bool:
        """Whether a clip of which a corpus says this is of use."""
        ...
