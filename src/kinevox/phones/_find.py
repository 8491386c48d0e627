"""The phones of a recording, from the best source there is."""

from __future__ import annotations

import hashlib
import importlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kinevox.cache import cache_dir
from kinevox.errors import MotionError
from kinevox.phones import _sphinx, _tidy
from kinevox.phones._base import Phones

if TYPE_CHECKING:
    from kinevox.speech import Speech

_READERS = {".textgrid": "textgrid", ".ctm": "ctm", ".json": "json_times"}

_log = logging.getLogger(__name__)


def read_phones(path: Path | str) -> Phones:
    """Phone times from a Praat TextGrid, CTM or JSON file, by its suffix.

    Raises:
        MotionError: unknown suffix, missing or unreadable file.
    """
    path = Path(path)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise MotionError(
            f"{path.name} ends in '{path.suffix}'; phone times are read from "
            ".TextGrid (Praat, Montreal Forced Aligner), .ctm and .json."
        )
    if not path.is_file():
        raise MotionError(f"There is no file {path}.")
    return importlib.import_module(f"kinevox.phones.{reader}").read(path)


def find_phones(speech: Speech) -> Phones:
    """Phones of `speech`: the given ones, else aligned to its transcript, else recognised.

    They cover the recording exactly. What had to be computed is kept in the cache.
    """
    if speech.phones is not None:
        return _tidy.fitted(speech.phones, speech.seconds)
    from kinevox.phones import json_times

    path = _cache_file(speech)
    if path is not None and path.is_file():
        try:
            return _tidy.fitted(json_times.read(path), speech.seconds)
        except (OSError, MotionError) as error:
            _log.warning("Ignoring a broken cache file: %s", error)
    phones = _compute(speech)
    if path is not None:
        try:
            json_times.write(phones, path)
        except OSError as error:
            _log.warning("Phones could not be kept for the next run: %s", error)
    return phones


def _compute(speech: Speech) -> Phones:
    if speech.transcript and speech.transcript.strip():
        from kinevox.phones.align import align_phones

        return align_phones(speech.samples, speech.transcript)
    from kinevox.phones.recognize import recognize_phones

    return recognize_phones(speech.samples)


def _cache_file(speech: Speech) -> Path | None:
    digest = hashlib.sha256(f"{_sphinx.SETTINGS_VERSION}\n{speech.transcript or ''}\n".encode())
    digest.update(np.ascontiguousarray(speech.samples, dtype="<f4").data)
    try:
        return cache_dir("phones") / f"{digest.hexdigest()[:40]}.json"
    except OSError as error:
        _log.warning("There is no cache: %s", error)
        return None
