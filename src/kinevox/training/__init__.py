"""Training: one loop for every learned method, and the checkpoints it leaves.

Nothing here imports torch before a training starts or a checkpoint is read.
"""

from kinevox.training._base import Space, Trainable
from kinevox.training.options import TrainingOptions

__all__ = ["Space", "Trainable", "TrainingOptions"]
