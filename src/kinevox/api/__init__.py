"""The one door: everything the command line, notebooks and a studio do goes through here.

Plain values in, plain values out. `progress`, where offered, is called as
`progress(stage, done, total)` with a short text and counts of that stage; a total of 0 means that
the end is not known.
"""

from kinevox.api._capture import capture, capture_facts, capture_folder
from kinevox.api._convert import convert, render
from kinevox.api._corpora import check_corpus, make_corpus, show_corpus
from kinevox.api._learn import (
    calibrate_weights,
    convert_weights,
    pack_weights,
    train,
    train_speech,
    write_card,
)
from kinevox.api._measure import bench, evaluate
from kinevox.api._options import AnimateOptions
from kinevox.api._perform import animate, animate_all, cite
from kinevox.api._styles import describe_style, extract_style, make_styles, styles
from kinevox.api._values import (
    DEFAULT_HEAD,
    DEFAULT_METHOD,
    Batch,
    Failure,
    PathLike,
    Progress,
    Take,
)
from kinevox.doctor import examine as doctor

__all__ = [
    "DEFAULT_HEAD",
    "DEFAULT_METHOD",
    "AnimateOptions",
    "Batch",
    "Failure",
    "PathLike",
    "Progress",
    "Take",
    "animate",
    "animate_all",
    "bench",
    "calibrate_weights",
    "capture",
    "capture_facts",
    "capture_folder",
    "check_corpus",
    "cite",
    "convert",
    "convert_weights",
    "describe_style",
    "doctor",
    "evaluate",
    "extract_style",
    "make_corpus",
    "make_styles",
    "pack_weights",
    "render",
    "show_corpus",
    "styles",
    "train",
    "train_speech",
    "write_card",
]
