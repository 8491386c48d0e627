"""Corpus `performers`: the rule-based performer acts out real and synthetic speech.

Each performer has style factors of its own, drawn once, so what a learned method recovers of a
style can be measured. Each clip has a seed of its own, so the same speech is never acted twice
alike. Motion is performed to the clean sound; the sound that is stored may be a worse recording
of it. Splits share neither voices nor performers.

Shard k depends on the seed, k, the length asked for and the recordings alone: shards can be made
in any order, by any number of processes, and again after a crash.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from kinevox.data.corpora._base import MakeOptions, Progress
from kinevox.data.corpora._studio import Plan, Studio
from kinevox.data.corpora._voices import recorded_voices, versions
from kinevox.data.store import finish, finished_index, shard_is_finished, write_shard
from kinevox.errors import ConfigError
from kinevox.files import written_whole
from kinevox.motion import ARKIT
from kinevox.timebase import FPS

CREDITS = {
    "librispeech": "LibriSpeech, Panayotov et al. 2015, from LibriVox readings",
    "vctk": "CSTR VCTK Corpus, Veaux, Yamagishi and MacDonald, University of Edinburgh",
    "kathleen": "Kathleen, M. Hansen, Rhasspy",
    "kerstin": "Kerstin, M. Hansen, Rhasspy",
    "commonvoice": "Mozilla Common Voice",
    "picovoice": "Picovoice speech-to-intent benchmark",
    "flite": "Festival lite, Carnegie Mellon University",
    "espeak-ng": "eSpeak NG",
}
"""Attribution of sources by the manifest's name of the corpus."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Performers:
    """The maker."""

    summary: str = "rule-based performers act out real and synthetic speech"
    source: str = "recordings and a manifest.csv with speakers, transcripts and splits"

    def make(self, source: Path, out: Path, options: MakeOptions, progress: Progress) -> None:
        """Makes what is missing; a folder begun with other options is refused.

        Raises:
            AssetError: no usable recordings.
            ConfigError: the options make no corpus, or are not those the folder was begun with.
        """
        if not 0 < options.hours < 1e4 or options.workers < 1:
            raise ConfigError(
                f"{options.hours} hours with {options.workers} workers; both must be positive."
            )
        plan = _begin(source, out, options)
        studio = _studio(plan)
        for note in studio.notes:
            _log.warning("%s.", note)
        todo = [k for k in range(len(plan.shards)) if not shard_is_finished(out, k)]
        done = len(plan.shards) - len(todo)
        stage = f"Performing {options.hours:g} h" + f", {done} shards were there" * (done > 0)
        progress(stage, done, len(plan.shards))
        for _ in _made(plan, out, todo, options.workers):
            done += 1
            progress(stage, done, len(plan.shards))
        finish(out, "performers", ARKIT, FPS, _made_how(plan, studio, finished_index(out)))


CORPUS = Performers()


def _begin(source: Path, out: Path, options: MakeOptions) -> Plan:
    """The plan of the folder, which must be the one that these options make."""
    people = source / "manifest.csv"
    if not people.is_file():
        recorded_voices(source)  # says what is expected
    plan = Plan(
        speech=str(source.resolve()),
        manifest=hashlib.sha256(people.read_bytes()).hexdigest()[:16],
        hours=options.hours,
        seed=options.seed,
        synthetic=tuple(versions()),
        transcribed=options.transcribed,
    )
    path = out / "plan.json"
    if path.is_file():
        # Plans of earlier versions lack what came later.
        begun = {"transcribed": False, **json.loads(path.read_text(encoding="utf-8"))}
        now = json.loads(json.dumps(asdict(plan)))
        told = [
            f"{name} {begun.get(name)} then, {now[name]} now"
            for name in now
            if name != "speech" and begun.get(name) != now[name]
        ]
        if told:
            raise ConfigError(
                f"{out} was begun otherwise: {'; '.join(told)}. Give the same options, or another "
                "folder."
            )
    else:
        with written_whole(path) as temporary:
            temporary.write_text(json.dumps(asdict(plan), indent=2) + "\n", encoding="utf-8")
    return plan


@lru_cache(maxsize=2)
def _studio(plan: Plan) -> Studio:
    """Once per process."""
    return Studio(plan)


def _make_shard(plan: Plan, out: Path, shard: int) -> int:
    write_shard(out, shard, _studio(plan).records(shard))
    return shard


def _made(plan: Plan, out: Path, shards: Sequence[int], workers: int) -> Iterator[int]:
    """Makes shards and says which one is ready."""
    if workers == 1 or len(shards) < 2:
        for shard in shards:
            yield _make_shard(plan, out, shard)
        return
    threads = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        with ProcessPoolExecutor(min(workers, len(shards)), get_context("spawn")) as pool:
            jobs = [pool.submit(_make_shard, plan, out, shard) for shard in shards]
            for job in as_completed(jobs):
                yield job.result()
    finally:
        for name, value in threads.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Children read these when they start; side by side, one thread each is fastest."""


def _made_how(plan: Plan, studio: Studio, index: dict[str, Any]) -> dict[str, Any]:
    """The command, the sources with licence and attribution, and what was left out."""
    sources: dict[tuple[str, str], dict[str, Any]] = {}
    for text, frames in zip(index["metadata"], index["frames"], strict=True):
        metadata = json.loads(text)
        key = metadata["source"], metadata["licence"]
        entry = sources.setdefault(
            key,
            {
                "name": key[0],
                "licence": key[1],
                "attribution": CREDITS.get(key[0], key[0]),
                "clips": 0,
                "hours": 0.0,
            },
        )
        entry["clips"] += 1
        entry["hours"] += float(frames) / FPS / 3600
    for entry in sources.values():
        entry["hours"] = round(entry["hours"], 3)
    return {
        "command": f"kinevox corpus make performers --hours {plan.hours:g} --seed {plan.seed}"
        + " --transcribed" * plan.transcribed,
        "kinevox": plan.kinevox,
        "manifest_sha256": plan.manifest,
        "performer": "articulate (rules, no training)",
        "programs": versions(),
        "sources": [sources[key] for key in sorted(sources)],
        "notes": studio.notes,
    }
