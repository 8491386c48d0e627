"""Phone labels of other tools to ARPAbet: stress digits, positions, TIMIT's extras, IPA."""

# ruff: noqa: RUF001  (IPA letters look like others on purpose)

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from kinevox.errors import MotionError
from kinevox.phones._base import ARPABET, SILENCE

_SILENT = frozenset(
    "sil silence sp spn spn_s nsn noise pau pause h# epi # <eps> <sil> <s> </s> <unk> unk "
    "_ - + x(noise) br breath ʔ laughter lau [noise] [speech]".split()
) | {""}

# TIMIT's and Festival's names beside the 39; closures belong to the stop that follows.
_ARPABET_EXTRAS = {
    "AX": "AH",
    "AXR": "ER",
    "AX-H": "AH",
    "IX": "IH",
    "UX": "UW",
    "DX": "D",
    "NX": "N",
    "EM": "M",
    "EN": "N",
    "EL": "L",
    "ENG": "NG",
    "HV": "HH",
    "WH": "W",
    "BCL": "B",
    "DCL": "D",
    "GCL": "G",
    "PCL": "P",
    "TCL": "T",
    "KCL": "K",
}

# The nearest English phone, judged by what the lips, jaw and tongue tip do.
_IPA = {
    phone: arpabet
    for arpabet, phones in {
        "AA": "ɑ a ɒ ɶ",
        "AE": "æ",
        "AH": "ʌ ə ɐ ɜ ɘ ɞ ɤ ɨ",
        "AO": "ɔ",
        "AW": "aw aʊ au̯ au",
        "AY": "aj aɪ ai ɑj ɑɪ",
        "EH": "ɛ œ",
        "ER": "ɝ ɚ əɹ ɜɹ ɹ̩",
        "EY": "e ej eɪ ei",
        "IH": "ɪ",
        "IY": "i ɪj",
        "OW": "o ow oʊ əʊ əw ou",
        "OY": "ɔj ɔɪ oj oɪ ɔʏ",
        "UH": "ʊ ʏ ø",
        "UW": "u y ʉ ɯ ʊw",
        "B": "b ɓ β",
        "CH": "tʃ ʧ tɕ ʈʂ ts",
        "D": "d ɖ ɗ ɾ",
        "DH": "ð",
        "F": "f ɸ pf",
        "G": "ɡ g ɟ ɣ ɠ",
        "HH": "h ɦ x ç χ ħ ʕ",
        "JH": "dʒ ʤ dʑ ɖʐ dz",
        "K": "k c q",
        "L": "l ɫ ʎ ɭ ɬ ɮ ʟ",
        "M": "m ɱ",
        "N": "n ɲ ɳ",
        "NG": "ŋ ɴ",
        "P": "p",
        "R": "ɹ r ɻ ʁ ʀ ɽ",
        "S": "s",
        "SH": "ʃ ɕ ʂ",
        "T": "t ʈ",
        "TH": "θ",
        "V": "v ʋ",
        "W": "w ʍ ɥ ɰ",
        "Y": "j ʝ",
        "Z": "z",
        "ZH": "ʒ ʑ ʐ",
    }.items()
    for phone in phones.split()
}
_MODIFIERS = re.compile(r"[ˈˌːˑʰʷʲˠˤ˞ⁿˡ͜͡.'\d]")


def to_arpabet(labels: Sequence[str]) -> tuple[str, ...]:
    """The ARPAbet phone (or `SIL`) of each label of one file.

    Lower-case labels that both alphabets know ("y", "aw") are read as IPA, unless a label of the
    same file is ARPAbet alone ("sh", "ih1").

    Raises:
        MotionError: labels that neither alphabet knows; all are listed.
    """
    arpabet_file = any(
        label != label.upper() and not _ipa(label) and _arpabet(label) for label in labels
    )
    readers = (_arpabet, _ipa) if arpabet_file else (_upper_arpabet, _ipa, _arpabet)
    known = {label: _read(label, readers) for label in set(labels)}
    if unknown := sorted(label for label, phone in known.items() if phone is None):
        raise MotionError(
            f"Unknown phone labels: {', '.join(map(repr, unknown[:12]))}"
            f"{' and more' if len(unknown) > 12 else ''}. ARPAbet (AA1, SH) and IPA are known; "
            "silence may be empty, sil, sp or spn."
        )
    return tuple(known[label] or SILENCE for label in labels)


def _read(label: str, readers) -> str | None:
    label = label.strip()
    if label.lower() in _SILENT or label.startswith(("+", "<", "[")):
        return SILENCE
    return next((phone for reader in readers if (phone := reader(label))), None)


def _upper_arpabet(label: str) -> str | None:
    return _arpabet(label) if label == label.upper() else None


def _arpabet(label: str) -> str | None:
    plain = re.sub(r"[0-3]?(_[BIES])?$", "", label.strip()).upper()
    return plain if plain in ARPABET else _ARPABET_EXTRAS.get(plain)


def _ipa(label: str) -> str | None:
    plain = _MODIFIERS.sub("", unicodedata.normalize("NFD", label.strip()))
    plain = "".join(c for c in plain if not unicodedata.combining(c) or c == "̧")
    plain = unicodedata.normalize("NFC", plain)
    for length in range(len(plain), 0, -1):
        if plain[:length] in _IPA and (length > 1 or len(plain) <= 2):
            return _IPA[plain[:length]]
    return None
