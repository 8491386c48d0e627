"""GLB files in the readers that matter: the Khronos validator and three.js in Chromium."""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue

import numpy as np
import pytest
from browser.node_tools import HERE, node_modules
from synthetic import toy_head, toy_motion

from kinevox import rotation
from kinevox.export import Animation, write
from kinevox.export._parts import part_meshes
from kinevox.heads import BlendshapeHead, inner_lip_gap
from kinevox.motion import Motion

pytestmark = pytest.mark.browser

_FLAGS = (
    "--headless --no-sandbox --disable-gpu --use-gl=angle --use-angle=swiftshader "
    "--enable-unsafe-swiftshader --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --remote-debugging-port=0"
).split()


@pytest.mark.parametrize("suffix", [".glb", ".dense.glb"])
def test_khronos_validator_finds_no_fault(tmp_path: Path, suffix: str):
    path = tmp_path / f"toy{suffix}"
    write(Animation(toy_motion(), toy_head), path)
    command = ["node", str(HERE / "validate.mjs"), str(path), str(node_modules())]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    issues = json.loads(result.stdout)
    assert issues["numErrors"] == issues["numWarnings"] == 0, issues["messages"]


def test_three_plays_the_motion(tmp_path: Path):
    head, motion = toy_head(), toy_motion(frames=12)
    _check(head, motion, frames=[0, 5, 11], tmp_path=tmp_path)


@pytest.mark.slow
def test_three_opens_and_closes_the_default_mouth(tmp_path: Path):
    from kinevox.heads.anny import HEAD

    head = HEAD()
    assert isinstance(head, BlendshapeHead)
    motion = Motion(np.zeros((20, 55), np.float32)).with_channels(
        jawOpen=np.linspace(0, 0.9, 20), eyeBlinkLeft=np.linspace(1, 0, 20), head_y=0.15
    )
    gaps = _check(head, motion, frames=[0, 19], tmp_path=tmp_path)
    assert gaps[0] < 1e-3, "lips at rest lie on each other [m]"
    assert gaps[1] > 10e-3, "an open jaw parts the lips [m]"


def _check(head: BlendshapeHead, motion: Motion, frames: list[int], tmp_path: Path) -> np.ndarray:
    """What three.js shows at some frames is what the motion says; returns the lip gaps [m].

    The pictures of the first and the last frame stay as closed.png and open.png.
    """
    path = tmp_path / "model.glb"
    write(Animation(motion, lambda: head), path)
    skin = next(part for part in part_meshes(head) if part.name == "skin")
    row_of = {int(row): i for i, row in enumerate(skin.rows)}
    upper, lower = head.regions.inner_lip_pairs.T
    probes = [row_of[int(row)] for row in np.concatenate([upper, lower])]
    report = _view(path, [motion.times[frame] for frame in frames], probes)

    expected = head.vertices(motion.replace(values=motion.values[frames]), head_pose=False)
    shown = np.zeros_like(expected)
    for i, (frame, seen) in enumerate(zip(frames, report["frames"], strict=True)):
        for part in part_meshes(head):
            for name in part.shape_names:
                influence = seen["influences"][part.name][name]
                assert influence == pytest.approx(float(motion[name][frame]), abs=1e-5)
        wxyz = np.roll(seen["quaternion"], 1)
        turn = rotation.axis_angle_from_quaternion(wxyz)
        assert turn == pytest.approx(motion.group("head")[frame], abs=1e-5)
        shown[i, np.concatenate([upper, lower])] = seen["probes"]
        picture = base64.b64decode(seen["picture"].split(",")[1])
        (tmp_path / f"frame_{frame:03}.png").write_bytes(picture)
    gaps = inner_lip_gap(shown, head.regions)
    assert gaps == pytest.approx(inner_lip_gap(expected, head.regions), abs=5e-5)
    pictures = [seen["picture"] for seen in report["frames"]]
    assert len(set(pictures)) == len(pictures), "every frame looks different"
    return gaps


def _view(glb: Path, times: list[float], probes: list[int]) -> dict:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("chromium is not installed")
    query = f"times={','.join(map(str, times))}&probes={','.join(map(str, probes))}"
    with (
        _server(glb, node_modules()) as (address, reports),
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
    ):
        command = [
            chromium, *_FLAGS, f"--user-data-dir={profile}", f"{address}/viewer.html?{query}"
        ]  # fmt: skip
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            report = reports.get(timeout=120)
        except Empty:
            pytest.fail("Chromium showed nothing within two minutes")
        finally:
            process.terminate()
            process.wait(timeout=20)
    assert "error" not in report, report["error"]
    return report


@contextlib.contextmanager
def _server(glb: Path, modules: Path) -> Iterator[tuple[str, Queue]]:
    """Serves the page, the model and the modules on this machine only."""
    reports: Queue = Queue()

    class Handler(SimpleHTTPRequestHandler):
        def translate_path(self, path: str) -> str:
            name = path.split("?")[0].lstrip("/")
            if name.startswith("node_modules/"):
                return str(modules.parent / name)
            return str(glb if name == "model.glb" else HERE / name)

        def do_POST(self):
            reports.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: object):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(HERE)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", reports
    finally:
        server.shutdown()
        server.server_close()
