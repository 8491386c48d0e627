"""Corpus `performers` on three real people, phones found and all."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from kinevox.data import Corpus
from kinevox.data.check import check_corpus
from kinevox.data.corpora import CORPORA, MakeOptions, _voices, performers


@pytest.mark.shared
def test_three_real_people(
    shared_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = shared_dir / "data" / "speech"
    if not (source / "manifest.csv").is_file():
        pytest.skip("No real speech beside the repository.")
    with (source / "manifest.csv").open(encoding="utf-8", newline="") as file:
        table = csv.DictReader(file)
        columns = table.fieldnames or []
        chosen = {
            row["split"]: row
            for row in table
            if row["language"] == "en" and row["transcript"] and 4 < float(row["seconds"]) < 7
        }
    for row in chosen.values():
        shutil.copy(source / row["path"], tmp_path)
        row["path"] = Path(row["path"]).name
    with (tmp_path / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(chosen.values())
    monkeypatch.setenv("KINEVOX_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(_voices, "shutil", SimpleNamespace(which=lambda _: None))
    _voices.versions.cache_clear()
    performers._studio.cache_clear()
    try:
        maker = CORPORA.get("performers")
        maker.make(tmp_path, tmp_path / "out", MakeOptions(hours=0.005), lambda *_: None)
    finally:
        _voices.versions.cache_clear()
        performers._studio.cache_clear()
    corpus = Corpus.open(tmp_path / "out")
    report = check_corpus(corpus)
    assert report.ok, report.findings
    assert all(corpus.phones(i).words for i in range(len(corpus)))
