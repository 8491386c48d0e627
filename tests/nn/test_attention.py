"""Attention and positions: laws, and the fast path beside the plain one."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from kinevox.nn.attention import AlignedAttention, AlignedMap, SelfAttention, alignment
from kinevox.nn.positional import Positions, sinusoid, turned, turns
from kinevox.nn.transformer import Layer

CPU = torch.device("cpu")


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class TestAlignment:
    def test_diffposetalks_shape(self) -> None:
        allowed = alignment(110, 1)
        assert allowed.shape == (111, 110)
        assert allowed[0].all()
        assert allowed[5].nonzero().flatten().tolist() == [4]

    def test_a_reach_of_three_is_two_on_each_side(self) -> None:
        allowed = alignment(110, 3)
        assert allowed[51].nonzero().flatten().tolist() == [48, 49, 50, 51, 52]
        assert allowed[1].nonzero().flatten().tolist() == [0, 1, 2]

    def test_no_reach_is_no_mask(self) -> None:
        assert alignment(12, 0).all()

    @given(st.integers(1, 30), st.integers(1, 12), st.integers(1, 3))
    def test_folding_changes_nothing(self, seed: int, frames: int, batch: int) -> None:
        torch.manual_seed(seed)
        layer = AlignedAttention(16, 4, 1).eval()
        nn.init.normal_(layer.key_value.bias)
        nn.init.normal_(layer.joined.bias)
        tokens, sound = noise(batch, 1 + frames, 16, seed=seed), noise(batch, frames, 16)
        fast = layer(tokens, layer.listen(sound))
        layer.fold = False
        plain = layer(tokens, layer.listen(sound))
        torch.testing.assert_close(fast, plain, atol=1e-5, rtol=1e-5)

    def test_a_map_is_what_frames_receive(self) -> None:
        torch.manual_seed(0)
        layer, plain = AlignedAttention(16, 4, 1).eval(), AlignedMap(16)
        value_rows = layer.key_value.weight[16:]
        plain.map.weight.data = layer.joined.weight @ value_rows
        plain.map.bias.data = layer.joined.bias
        tokens, sound = noise(2, 9, 16), noise(2, 8, 16, seed=1)
        frames = plain(tokens, plain.listen(sound))
        torch.testing.assert_close(frames[:, 1:], layer(tokens, layer.listen(sound))[:, 1:])
        assert (frames[:, 0] == 0).all()


class TestSelfAttention:
    def test_it_is_torchs_own(self) -> None:
        torch.manual_seed(0)
        ours, theirs = SelfAttention(32, 4), nn.MultiheadAttention(32, 4, batch_first=True)
        assert theirs.in_proj_weight is not None
        theirs.in_proj_weight.data = ours.query_key_value.weight
        theirs.in_proj_bias.data = nn.init.normal_(ours.query_key_value.bias)
        theirs.out_proj.weight.data = ours.joined.weight
        tokens = noise(2, 7, 32)
        seen = torch.arange(7) < torch.tensor([[7], [4]])
        expected, _ = theirs(tokens, tokens, tokens, key_padding_mask=~seen)
        torch.testing.assert_close(ours(tokens, None, seen), expected, atol=1e-5, rtol=1e-5)

    @given(st.integers(0, 40))
    def test_rotary_positions_count_distances_only(self, shift: int) -> None:
        query, key = noise(1, 2, 50, 8), noise(1, 2, 50, 8, seed=1)
        places = turns(50, 8, CPU)
        here = turned(query, places)[:, :, 5] * turned(key, places)[:, :, 2]
        query, key = query.roll(shift, 2), key.roll(shift, 2)
        there = (
            turned(query, places)[:, :, (5 + shift) % 50]
            * (turned(key, places)[:, :, (2 + shift) % 50])
        )
        if 5 + shift < 50:
            torch.testing.assert_close(here.sum(-1), there.sum(-1), atol=1e-4, rtol=1e-4)


class TestPositions:
    def test_columns_alternate(self) -> None:
        table = sinusoid(torch.arange(9), 6)
        torch.testing.assert_close(table[:, 0], torch.arange(9.0).sin())
        torch.testing.assert_close(table[:, 1], torch.arange(9.0).cos())
        torch.testing.assert_close(table[3, 4], torch.tensor(3 * 10_000 ** (-4 / 6)).sin())

    def test_the_published_mistake_is_a_constant(self) -> None:
        added = Positions("sinusoidal-published", 12, 8)(torch.zeros(1, 12, 8))[0]
        torch.testing.assert_close(added, sinusoid(torch.tensor([12]), 8).expand(12, 8))
        correct = Positions("sinusoidal", 12, 8)(torch.zeros(1, 12, 8))[0]
        torch.testing.assert_close(correct, sinusoid(torch.arange(12), 8))

    def test_only_learned_ones_are_weights(self) -> None:
        for kind in ("sinusoidal", "sinusoidal-published", "rotary"):
            assert not list(Positions(kind, 12, 8).parameters())
        learned = Positions("learned", 12, 8)
        assert torch.equal(learned(torch.zeros(1, 12, 8))[0], learned.table)
        assert torch.equal(Positions("rotary", 12, 8)(noise(1, 12, 8)), noise(1, 12, 8))


class TestLayer:
    def test_post_norm_is_torchs_own(self) -> None:
        torch.manual_seed(0)
        ours = Layer(32, 4, ratio=2).eval()
        theirs = nn.TransformerEncoderLayer(32, 4, 64, activation="gelu", batch_first=True).eval()
        names = {
            "self_attn.in_proj_weight": ours.attention.query_key_value.weight,
            "self_attn.in_proj_bias": ours.attention.query_key_value.bias,
            "self_attn.out_proj.weight": ours.attention.joined.weight,
            "self_attn.out_proj.bias": ours.attention.joined.bias,
            "linear1.weight": ours.feedforward[0].weight,
            "linear1.bias": ours.feedforward[0].bias,
            "linear2.weight": ours.feedforward[3].weight,
            "linear2.bias": ours.feedforward[3].bias,
            "norm1.weight": ours.norm_attention.weight,
            "norm1.bias": ours.norm_attention.bias,
            "norm2.weight": ours.norm_feedforward.weight,
            "norm2.bias": ours.norm_feedforward.bias,
        }
        theirs.load_state_dict(names)
        tokens = noise(2, 7, 32)
        torch.testing.assert_close(ours(tokens), theirs(tokens), atol=1e-5, rtol=1e-5)

    @pytest.mark.parametrize("pre_norm", [False, True])
    def test_every_weight_is_used(self, pre_norm: bool) -> None:
        for hearing in (AlignedMap(16), AlignedAttention(16, 2, 1), None):
            torch.manual_seed(0)
            layer = Layer(16, 2, pre_norm=pre_norm, hearing=hearing)
            heard = None if hearing is None else hearing.listen(noise(2, 6, 16, seed=1))
            (layer(noise(2, 7, 16), heard=heard) * noise(2, 7, 16, seed=2)).sum().backward()
            idle = [n for n, w in layer.named_parameters() if w.grad is None or not w.grad.any()]
            assert not idle, idle
