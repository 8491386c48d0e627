"""Networks: training and model cards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kinevox.api._values import PathLike, Progress, telling
from kinevox.errors import ConfigError, UnknownNameError

if TYPE_CHECKING:
    from kinevox.audio.encoders.speech.config import SpeechConfig
    from kinevox.training import Trainable, TrainingOptions


def train(
    network: str | Trainable,
    corpus: PathLike,
    *,
    out: PathLike | None = None,
    options: TrainingOptions | None = None,
    mix: PathLike | None = None,
    mix_every: int | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Trains a network on a corpus, or goes on where the same training stopped.

    Args:
        network: A name from `methods.trainables()`, or a configuration such as
            `RegressorConfig(layers=6)`.
        corpus: A folder, or the name of a corpus in the cache, with the splits `train` and
            `valid`.
        out: Folder of the run; by default `runs/NAME` in the cache.
        options: How to train; by default as the network recommends.
        mix: Another corpus of the same layout and frame rate, whose split `train` is learned
            from as well, such as captured people beside performers.
        mix_every: Of so many samples, one is of that corpus; 10 by default.
        dry_run: Only return the full configuration.

    Returns:
        What `best/checkpoint.json` holds, or the configuration; and `out`.

    Raises:
        KinevoxError: the corpus or the options do not fit, or the folder holds another training.
    """
    from kinevox.data import Corpus
    from kinevox.data.mixture import Mixed
    from kinevox.methods import trainables
    from kinevox.training.run import configuration, run_folder

    if isinstance(network, str):
        known = trainables()
        if network not in known:
            raise UnknownNameError("network", network, known)
        network = known[network]
    folder = run_folder(network.name) if out is None else Path(out)
    clips = Corpus.open(corpus)
    options = options or network.training
    if mix is None and mix_every is not None:
        raise ConfigError(f"mix_every is {mix_every}, but no corpus is mixed in; give mix too.")
    mixed = None if mix is None else Mixed(Corpus.open(mix), 10 if mix_every is None else mix_every)
    if dry_run:
        return {**configuration(network, clips, options, mixed), "out": str(folder)}
    from kinevox.training import loop

    header = loop.train(network, clips, folder, options, progress or telling(None), mixed)
    return {**header, "out": str(folder)}


def train_speech(
    recordings: PathLike,
    *,
    out: PathLike | None = None,
    config: SpeechConfig | None = None,
    options: TrainingOptions | None = None,
    progress: Progress | None = None,
) -> Path:
    """Trains the speech encoder, or goes on where the same training stopped.

    Args:
        recordings: Folder with a manifest of people's recordings. What is made from them, and from
            speaking programs on this machine, is kept under `phonetic` in the cache.
        out: Folder of the run; by default `runs/speech` in the cache.

    Returns:
        The best weights.

    Raises:
        KinevoxError: there are no recordings, or the folder holds another training.
    """
    from kinevox.audio.encoders.speech.config import SpeechConfig
    from kinevox.cache import cache_dir
    from kinevox.data.phonetic.material import make_material
    from kinevox.training import hearing
    from kinevox.training.options import HEARING
    from kinevox.training.run import run_folder

    folder = run_folder("speech") if out is None else Path(out)
    config, options = config or SpeechConfig(), options or HEARING
    progress = progress or telling(None)
    parts = make_material(Path(recordings), cache_dir("phonetic"), progress)
    return hearing.train_speech(config, parts, folder, options, progress)


def calibrate_weights(
    run: PathLike,
    corpus: PathLike,
    *,
    steps: int | None = None,
    spacing: float | None = None,
    progress: Progress | None = None,
) -> Path:
    """Measures how people with a style move, so that `diffposetalk` performs like that.

    Args:
        run: Folder of a training or of a checkpoint, or the name of a run in the cache.
        corpus: A folder, or the name of a corpus in the cache. Its training split is measured; what
            the network draws is compared with the validation split, if there is one.
        steps: In how many the network shall draw from now on, unless told otherwise; by default as
            it was trained to.
        spacing: How these lie: 1 is at even distance, more spends more of them in noise, less
            fewer.

    Returns:
        The file `calibration.npz` beside the weights.

    Raises:
        AssetError: there is no checkpoint, or its styles tell nothing of motion.
        MotionError: the corpus is about other motion, or nobody has two clips.
    """
    from kinevox.data import Corpus
    from kinevox.methods.diffposetalk.calibration import calibrate
    from kinevox.methods.diffposetalk.calibration_file import write_calibration
    from kinevox.methods.diffposetalk.network_file import read_network
    from kinevox.training.checkpoint import CALIBRATION
    from kinevox.training.run import data_facts, run_folder

    # Without the calibration beside it, which is to be replaced, damaged or not.
    network, place = read_network(run_folder(str(run)))
    path = place / CALIBRATION
    clips = Corpus.open(corpus)
    facts = data_facts(clips)
    calibrate(network, clips, telling(progress), steps=steps, spacing=spacing)
    by = f"corpus `{facts['name']}` (digest {facts['digest']})"
    if network.drawn_in is not None:
        by += f", to draw in {network.drawn_in.steps} steps (spacing {network.drawn_in.spacing:g})"
    write_calibration(path, network, by)
    return path


def pack_weights(run: PathLike, out: PathLike, results: PathLike | None = None) -> list[Path]:
    """Makes trained weights ready to be given away: half precision, all they need, and a card.

    Args:
        run: Folder of a training or of a checkpoint, or the name of a run in the cache.
        out: Folder of the result, which is used like a run: `diffposetalk:OUT`.
        results: JSON that `evaluate` wrote, for the card.

    Returns:
        The files that were written.

    Raises:
        AssetError: there is no checkpoint of a training.
        ConfigError: the results cannot be read.
    """
    from kinevox.training.pack import pack
    from kinevox.training.run import run_folder

    return pack(run_folder(str(run)), Path(out), None if results is None else Path(results))


def convert_weights(model: PathLike, style: PathLike, statistics: PathLike, out: PathLike) -> Path:
    """Converts weights that the authors of DiffPoseTalk released, for use as `diffposetalk:OUT`.

    Nothing in the files is run.

    Args:
        model: Of the denoiser, such as `iter_0110000.pt`.
        style: Of the style encoder that it was trained with.
        statistics: `stats_train.npz` of their training data.

    Raises:
        AssetError: a file is missing, is not what it should be, or does not fit the others.
    """
    from kinevox.methods.diffposetalk.released import convert_released

    return convert_released(Path(model), Path(style), Path(statistics), Path(out))


def write_card(run: PathLike, results: PathLike | None = None) -> Path:
    """Writes the model card of a checkpoint and returns its place.

    Args:
        run: Folder of a training or of a checkpoint, or the name of a run in the cache.
        results: JSON that `evaluate` wrote; without it the card shows the scores of the
            validation during training.

    Raises:
        AssetError: there is no checkpoint.
        ConfigError: the results cannot be read.
    """
    from kinevox.training.card import write_card as write
    from kinevox.training.run import run_folder

    return write(run_folder(str(run)), None if results is None else Path(results))
