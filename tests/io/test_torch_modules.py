"""Modules of PyTorch with options that few use: read as PyTorch evaluates them, or refused with one line."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from geomrelu import InputError, Network, as_network, decide
from geomrelu.io import torch_modules

pytestmark = pytest.mark.torch


def agree(torch, shape, *modules):
    module = torch.nn.Sequential(*modules, torch.nn.ReLU()).double().eval()
    x = torch.randn(2, *shape, dtype=torch.float64)
    net = Network.from_torch(module, shape)
    for point, right in zip(x, module(x).detach(), strict=True):
        assert net.reading.outputs[0].shape == right.shape
        assert [float(v) for v in net(point.ravel().tolist())] == pytest.approx(right.ravel().tolist(), abs=1e-9)


def refused(words, call, *args):
    with pytest.raises(InputError, match=words) as caught:
        call(*args)
    assert "\n" not in str(caught.value)


def test_a_factor_of_linear_interpolation_that_keeps_the_size_moves_nothing(torch):
    nn = torch.nn
    for mode, shape in (("linear", (1, 3)), ("bilinear", (2, 3, 6)), ("trilinear", (1, 2, 3, 2))):
        for factor, corners in itertools.product((1.1, 1.3, 2.3, 0.7), (None, True)):
            agree(torch, shape, nn.Upsample(scale_factor=factor, mode=mode, align_corners=corners))
    for corners in (None, True):
        agree(torch, (1, 3, 3), nn.Upsample(scale_factor=1.3, mode="bicubic", align_corners=corners))


def test_nearest_neighbours_are_those_that_all_programs_of_torch_take(torch):
    nn, ambiguous = torch.nn, 0
    for size, factor in itertools.product((1, 2, 3, 5, 8, 13), (0.3, 0.7, 1.3, 1.5, 2, 2.3, 2.6, 3, 3.7)):
        out = int(size * factor)
        if not out:
            continue
        x = torch.arange(float(size)).expand(4, size)
        planes = [x[None], x[None, :, None], x[None, :, None, None]]
        planes += [x[None, :, None].contiguous(memory_format=torch.channels_last)]
        planes += [x[None, :, None, None].contiguous(memory_format=torch.channels_last_3d)]
        found = []
        for plane in planes:
            factors = (*[1.0] * (plane.ndim - 3), float(factor))
            up = nn.Upsample(scale_factor=factors if len(factors) > 1 else factor, mode="nearest")
            found.append(up(plane).reshape(4, out)[0].tolist())
        try:
            right = torch_modules._nearest(size, out, factor)
        except InputError:
            ambiguous += any(other != found[0] for other in found)
            continue
        assert all(other == right.tolist() for other in found), (size, factor)
    assert ambiguous > 3
    for options in ({"size": 7}, {"scale_factor": 1.3, "recompute_scale_factor": True}):
        agree(torch, (2, 3, 5), nn.Upsample(**options))
    refused("give the size, or recompute", Network.from_torch, nn.Sequential(nn.Upsample(scale_factor=1.3)), (1, 3))


def test_negative_padding_cuts_off(torch):
    nn, rng = torch.nn, np.random.default_rng(5)
    for _ in range(30):
        pads = tuple(int(v) for v in rng.integers(-1, 3, 4))
        agree(torch, (2, 3, 4), nn.ConstantPad2d(pads, 0.5))
        agree(torch, (2, 3, 4), nn.ZeroPad2d(pads), nn.Conv2d(2, 1, 1))
    for module, words in (
        (nn.ReflectionPad2d((-1, 1, 0, 0)), "negative numbers are supported for constant padding only"),
        (nn.ZeroPad2d((-2, -2, 0, 0)), "leaves nothing"),
    ):
        refused(words, Network.from_torch, nn.Sequential(module, nn.ReLU()), (1, 3, 4))


def test_axes_are_unfolded_from_the_end_and_with_one_size_left_open(torch):
    nn = torch.nn
    for axis, sizes in ((1, (-1, 2)), (1, (2, -1)), (-1, (2, 3)), (-1, (-1,)), (1, (1, 6))):
        agree(torch, (6,), nn.Linear(6, 6), nn.Unflatten(axis, sizes))
    for axis, sizes in ((1, (-1, 4)), (1, (5, 1)), (0, (1, 1)), (1, (-1, -1))):
        refused("do not fit", Network.from_torch, nn.Sequential(nn.Unflatten(axis, sizes), nn.ReLU()), (6,))


def test_modules_that_cannot_be_read_are_refused_in_one_line(torch):
    nn = torch.nn
    deep = itself = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    for _ in range(2000):
        deep = nn.Sequential(deep)
    refused("nested more than 100 deep", Network.from_torch, deep)
    itself._modules["2"] = itself
    refused("nested more than 100 deep", Network.from_torch, itself)
    for module, words in (
        (nn.ModuleList([nn.Linear(2, 2), nn.ReLU()]), r"module given \(ModuleList\): it is not supported"),
        (nn.GELU(), r"module given \(GELU\): it is not supported"),
        (nn.Sequential(nn.LazyLinear(2), nn.ReLU()), r"module 0 \(LazyLinear\): .* call the module once"),
    ):
        refused(words, Network.from_torch, module)
    plain = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    for shape, words in (("ab", "whole numbers"), ((2.5,), "whole number"), ((0,), "positive"), ((), "positive")):
        refused(f"input_shape.*{words}", Network.from_torch, plain, shape)


def test_modules_around_a_module_are_refused_with_what_to_give_instead(torch):
    nn = torch.nn
    module = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    refused("wraps another module: give its attribute module", Network.from_torch, nn.DataParallel(module))
    refused("wraps another module: give its attribute _orig_mod", Network.from_torch, torch.compile(module))
    from torch.nn.utils import prune

    prune.l1_unstructured(module[0], "weight", 0.5)
    refused(r"forward hooks, .*: remove them \(those of pruning by", Network.from_torch, module)
    prune.remove(module[0], "weight")
    x = torch.randn(2, dtype=torch.float64)
    net = Network.from_torch(module.double())
    assert float(net(x.tolist())[0]) == pytest.approx(float(module(x[None])))


@pytest.mark.filterwarnings("ignore:.*MaskedTensors")
def test_tensors_that_are_more_than_their_numbers_are_refused(torch):
    nn = torch.nn

    quantised = type("Quantised", (torch.Tensor,), {})  # such classes may define what products with them are
    module = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    module[0].weight = nn.Parameter(torch.ones(3, 2).as_subclass(quantised))
    refused(r"module 0 \(Linear\): its weight is a Quantised, which may compute", Network.from_torch, module)
    masked = torch.masked.masked_tensor(torch.ones(3, 2), torch.eye(3, 2) > 0)
    for state in ({"0.weight": masked}, {"0.weight": torch.nested.nested_tensor([torch.ones(2), torch.ones(2)])}):
        refused("parameter '0.weight': it is not a tensor that holds each of its numbers", as_network, state)


def test_a_module_in_training_mode_is_read_in_evaluation_mode_and_says_so(torch):
    nn = torch.nn
    module = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Dropout(0.5), nn.Linear(3, 1))
    training, evaluating = Network.from_torch(module), Network.from_torch(module.eval())
    assert training == evaluating and not evaluating.reading.notes
    assert "in evaluation mode" in training.reading.notes[0]
    assert not Network.from_torch(nn.Sequential(nn.Linear(2, 3), nn.ReLU())).reading.notes  # the same in both


def test_checkpoints_with_more_than_parameters(torch, tmp_path):
    nn = torch.nn
    module, path = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)), tmp_path / "m.pt"
    for key in ("model_state_dict", "actor"):
        torch.save({key: module.state_dict(), "loss": torch.tensor(0.5), "model": {"width": 3}}, path)
        net = Network.from_file(path)
        assert net == Network.from_torch(module)
        assert "the file also holds loss, model, which is not read" in net.reading.notes
    flipped = {name: torch._neg_view(value) for name, value in module.state_dict().items()}  # -value, lazily
    torch.save(flipped, path)
    assert Network.from_file(path)([1, 2]) == Network.from_state_dict({k: v.clone() for k, v in flipped.items()})(
        [1, 2]
    )
    torch.save(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 1)).state_dict(), path)
    refused("'1.running_mean' .* normalisations have constants", Network.from_file, path)
    refused("normalisations", Network.from_state_dict, torch.load(path))


def test_a_report_says_what_of_a_module_was_not_read(torch):
    nn = torch.nn
    report = decide(nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Softmax(1), nn.Linear(2, 2), nn.ReLU()), (-1, 1))
    said = re.compile(r"Not judged: module 2 \(Softmax\) and what comes after it: Softmax is not supported\.")
    assert said.match(str(report)) and said.match(repr(report)) and said.search(report._repr_html_())
