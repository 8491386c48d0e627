"""The style encoder of diffposetalk: what counts, and what it learns from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from synthetic_diffposetalk import TINY_STYLE

from kinevox.data import Corpus
from kinevox.errors import UnknownNameError
from kinevox.methods.diffposetalk.style import StyleEncoder, mean_over, shared, spread_over
from kinevox.methods.diffposetalk.style_training import (
    factor_error,
    in_pose,
    mean_pose,
    nt_xent,
    style_loss,
)
from kinevox.training.loop import space_of

pytestmark = pytest.mark.usefixtures("one_thread")


class TestStyleEncoder:
    def test_order_counts_unless_published(self, corpus: Corpus) -> None:
        motion = torch.randn(1, 25, 55)
        shuffled = motion[:, torch.randperm(25)]
        for positions, same in (("sinusoidal-published", True), ("sinusoidal", False)):
            config = replace(TINY_STYLE, positions=positions, movement=False)  # type: ignore[arg-type]
            encoder = StyleEncoder(config, space_of(corpus)).eval()
            apart = float((encoder(motion) - encoder(shuffled)).detach().abs().max())
            assert (apart < 1e-5) == same

    def test_frames_that_do_not_exist_do_not_count(self, corpus: Corpus) -> None:
        encoder = TINY_STYLE.build(space_of(corpus)).eval()
        motion = torch.randn(1, 25, 55)
        mask = torch.arange(25)[None] < 15
        other = torch.where(mask[..., None], motion, 7.0)
        torch.testing.assert_close(encoder(motion, mask), encoder(other, mask))

    def test_means_and_spreads_over_a_mask(self) -> None:
        values = torch.randn(2, 9, 3)
        mask = torch.arange(9) < torch.tensor([[9], [4]])
        for row, count in enumerate((9, 4)):
            part = values[row, :count]
            torch.testing.assert_close(mean_over(values, mask)[row], part.mean(0))
            spread = part.std(0, correction=0)
            torch.testing.assert_close(spread_over(values, mask)[row], spread, atol=1e-3, rtol=0)

    @torch.no_grad()
    def test_factors_that_are_not_known_do_not_count(self, corpus: Corpus) -> None:
        stage = replace(TINY_STYLE, factors=("smile", "squint"))
        encoder = stage.build(space_of(corpus)).eval()
        style = torch.randn(3, 16)
        read = encoder.factors_of(style).detach()
        # Smile goes from -0.5 to 0.7, squint from 0 to 0.7.
        true = read / 6 * torch.tensor([1.2, 0.7]) + torch.tensor([0.1, 0.35])
        true[0, 1] = torch.nan
        assert float(factor_error(encoder, style, true)) == pytest.approx(0, abs=1e-9)
        true[1, 0] += 0.2
        assert float(factor_error(encoder, style, true)) == pytest.approx(1 / 5, rel=1e-4)
        assert float(factor_error(encoder, style, true * torch.nan)) == 0

    def test_a_factor_that_does_not_exist(self) -> None:
        with pytest.raises(UnknownNameError, match="smile"):
            replace(TINY_STYLE, factors=("smlie",))

    def test_what_pieces_share_leaves_out_those_that_do_not_count(self) -> None:
        pieces = torch.randn(2, 3, 8)
        counts = torch.tensor([[True, True, False], [False, False, False]])
        styles = shared(pieces, counts)
        two = shared(pieces[:1, :2], counts[:1, :2])
        torch.testing.assert_close(styles[:1], two)
        torch.testing.assert_close(styles[1], pieces[1, 0])

    def test_nt_xent_of_perfect_pairs(self) -> None:
        styles = 5 * torch.eye(4, 8)
        expected = np.log(1 + 6 * np.exp(-10))
        assert float(nt_xent(styles, styles, 0.1)) == pytest.approx(expected, rel=1e-3)

    def test_one_person_twice_is_not_told_apart(self) -> None:
        one, other = torch.randn(5, 8), torch.randn(5, 8)
        person = torch.tensor([0, 1, 2, 2, 3])
        without_twin = nt_xent(one, other, 0.1, person)
        assert float(without_twin) < float(nt_xent(one, other, 0.1))

    def test_one_pose_for_all_leaves_movement(self) -> None:
        generator = torch.Generator().manual_seed(0)
        motion = torch.randn(3, 40, 5, generator=generator)
        mask = torch.arange(40) < torch.tensor([[40], [30], [25]])
        pose = torch.arange(5.0)
        moved = in_pose(motion, mask, pose)
        assert torch.allclose(mean_pose(moved, mask), pose.expand(3, 5), atol=1e-5)
        assert torch.allclose(moved.diff(dim=1), motion.diff(dim=1), atol=1e-5)

    def test_pairs_with_too_little_motion_do_not_count(self, corpus: Corpus) -> None:
        network = TINY_STYLE.build(space_of(corpus)).eval()
        batch = TINY_STYLE.fake_batch(network.space)
        assert batch.other is not None
        full = style_loss(network, batch, torch.Generator())
        changed = batch.motion.clone()
        changed[-1] = 9.0
        again = style_loss(network, replace(batch, motion=changed), torch.Generator())
        assert torch.equal(full["contrast"], again["contrast"]), "the last clip is short"
