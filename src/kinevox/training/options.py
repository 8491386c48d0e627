"""How a network is trained; the same for every method."""

from __future__ import annotations

from dataclasses import dataclass

from kinevox.data.windows import Balance
from kinevox.errors import ConfigError


@dataclass(frozen=True)
class TrainingOptions:
    """Options of one training. Progress is counted in samples, which are windows of a clip."""

    steps: int = 20_000
    """Updates of the weights."""
    batch: int = 16
    """Samples per update, over all processes together."""
    learning_rate: float = 3e-4
    """Of AdamW, between warm-up and cool-down."""
    warmup: int = 500
    """Updates over which the learning rate rises from zero."""
    cooldown: float = 0.3
    """Last share of the updates, over which the learning rate falls to zero."""
    weight_decay: float = 0.01
    """Of matrices; biases and scales are left alone."""
    gradient_clip: float = 1.0
    """Largest norm of the gradient."""
    average: int = 8_000
    """Half-life of the averaged weights, which are the result [samples]."""
    bf16: bool = False
    """Compute in bfloat16 where torch holds that safe; weights stay float32."""
    balance: Balance = "speaker"
    """What appears equally often: speaker, style, or clips by their length."""
    seed: int = 0
    """Decides the first weights, the order of samples and all noise."""
    workers: int = 1
    """Processes that load samples; the result does not depend on it."""
    log_every: int = 100
    """Updates between two reports."""
    validate_every: int = 1_000
    """Updates between two validations, after each of which the best checkpoint is kept."""
    save_every: int = 500
    """Updates between two saves from which an interrupted training goes on."""

    FREE = ("steps", "workers", "log_every", "save_every")
    """What may change when a training goes on; more steps make it longer."""

    def __post_init__(self) -> None:
        positive = ("steps", "batch", "learning_rate", "gradient_clip", "average")
        positive += ("log_every", "validate_every", "save_every")
        wrong = [
            f"{name} is {getattr(self, name)}" for name in positive if getattr(self, name) <= 0
        ]
        wrong += [
            f"{name} is {getattr(self, name)}"
            for name in ("warmup", "weight_decay", "workers", "seed")
            if getattr(self, name) < 0
        ]
        if wrong:
            raise ConfigError(f"Training options out of range: {', '.join(wrong)}.")
        if not 0 <= self.cooldown <= 1:
            raise ConfigError(f"cooldown is {self.cooldown}; it is a share from 0 to 1.")

    def learning_rate_at(self, step: int) -> float:
        """Rises linearly, stays, falls linearly to zero."""
        falling = max(self.cooldown * self.steps, 1)
        return self.learning_rate * min(
            1.0, (step + 1) / max(self.warmup, 1), (self.steps - step) / falling
        )


HEARING = TrainingOptions(
    learning_rate=1e-3,
    weight_decay=0.02,
    average=16_000,
    bf16=True,
    log_every=50,
    save_every=200,
)
"""How the speech encoder is trained; its samples are 4 s of speech, balanced in their own way."""
