"""What an evaluation was made of and on, and what its numbers do not say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kinevox.bench.machine import examine, loaded_packages

if TYPE_CHECKING:
    from kinevox.evaluation.judge import Judge


def facts_of(judge: Judge) -> dict[str, Any]:
    """Corpus, clips, machine and versions, as JSON holds them."""
    corpus, clips, chosen = judge.corpus, judge.clips, list(judge.chosen.measured)
    machine = examine()
    return {
        "corpus": {
            "name": corpus.name,
            "version": corpus.header["version"],
            "layout": corpus.layout.name,
            "fps": corpus.fps,
            "made": _made(corpus.header.get("made", {})),
        },
        "measured": {
            "split": judge.plan.split,
            "clips": len(chosen),
            "of_clips": len(clips),
            "minutes": round(float(clips.index["frames"][chosen].sum() / clips.fps / 60), 2),
            "performers": len(set(clips.index["style"][chosen].tolist())),
            "speakers": len(set(clips.index["speaker"][chosen].tolist())),
            "seeds": judge.plan.seeds,
            "style_probes": len(judge.chosen.probes),
            "style_gallery": len(judge.chosen.gallery),
            "style_performers": len(set(clips.index["style"][list(judge.chosen.gallery)].tolist())),
            "ids": clips.index["id"][chosen].tolist(),
        },
        "head": judge.plan.head,
        "machine": {
            "cpu": machine.cpu,
            "cores": machine.cores,
            "system": machine.system,
            "python": machine.python,
            "kinevox": machine.kinevox,
            "commit": machine.commit,
            "packages": loaded_packages(),
        },
    }


def _made(made: Mapping[str, Any]) -> dict[str, Any]:
    """How the corpus was made, in short."""
    return {key: made[key] for key in ("command", "kinevox", "performer") if key in made}


def limits_of(judge: Judge, facts: Mapping[str, Any]) -> tuple[str, ...]:
    """Sentences that belong beside the numbers."""
    measured = facts["measured"]
    limits = [
        f"{measured['clips']} of {measured['of_clips']} clips of corpus '{judge.corpus.name}', "
        f"split '{judge.plan.split}': {measured['minutes']:g} minutes, {measured['performers']} "
        f"performers, {measured['speakers']} voices.",
        "Intervals are 95 % over seeds: other takes of the same clips, not other clips.",
        f"Vertices are those of head '{judge.plan.head}'; other heads have other numbers.",
    ]
    performers = measured["style_performers"]
    if measured["style_probes"]:
        limits.append(
            f"Style retrieval: {measured['style_probes']} clips are looked up among {performers} "
            f"performers; chance is {1 / performers:.3f} for the first and "
            f"{min(5 / performers, 1):.3f} among five."
        )
    if "performer" in facts["corpus"]["made"]:
        limits.append(
            "The corpus is acted out by rules, not captured from people; articulate is those "
            "very rules, which a learned method can only approach."
        )
    return tuple(limits)
