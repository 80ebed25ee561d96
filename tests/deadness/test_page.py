"""The page on a report: what it says is what the report says, and it works in a browser without a network."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from browsing import media, one, press, screen

from geomrelu import InputError, Network, Polyhedron, Status, Union, as_network, decide
from geomrelu.cli.main import main
from geomrelu.deadness.page import image_shape
from geomrelu.deadness.page.content import saving
from geomrelu.deadness.page.pictures import near
from geomrelu.deadness.pruning import prune
from geomrelu.deadness.ranges import Range
from geomrelu.io.reading import Reading, ReadLayer

KINDS_OF = {  # on the box [-1, 1]^2: weights, bias
    "S": ([1, 1], -3),
    "D": ([0, 0], -1),  # stable as well, see below
    "T": ([1, 1], -2),
    "A": ([1, 0], 1),
    "L": ([1, -1], 0),
}


@pytest.fixture(scope="module")
def small():
    """A neuron of each kind, then a layer of two."""
    first = [weights for weights, _ in KINDS_OF.values()]
    layers = [(first, [bias for _, bias in KINDS_OF.values()], "relu")]
    return as_network([*layers, ([[1, 1, 1, 1, 1], [0, 0, 0, -1, 0]], [0, -1], "relu"), ([[1, 1]], [0], "none")])


def data_of(page):
    text = Path(page).read_text(encoding="utf-8")
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1])


def test_what_the_page_says_is_what_is_known(small, tmp_path):
    report = decide(small, (-1, 1))
    data = data_of(report.save_page(tmp_path / "a"))
    first, second = data["layers"]
    assert (first["kinds"], second["kinds"]) == ("SSTAL", "AS")
    assert first["text"] == {"0": "-1", "1": "-1", "2": "0", "3": "2", "4": "2"} and first["exact"] == "11111"
    assert first["upper"] == [-1, -1, 0, 2, 2] and first["lower"][3] == 0
    witness = data["points"][first["point"][4]]
    assert witness[0] - witness[1] > 0 and first["point"][0] == -1
    for layer in data["layers"]:
        for k, file in enumerate(layer["file"]):
            claims = json.loads((tmp_path / "a" / data["files"][file]).read_text())["claims"]
            assert any(claim["neuron"] == k and claim["layer"] == layer["layer"] for claim in claims)
    assert (data["image"], data["filters"], data["model"]) == (None, [], small.digest)


def test_a_bound_is_rounded_up_and_keeps_its_sign():
    from geomrelu.deadness.page.content import _upper
    from geomrelu.deadness.verdict import Status, Verdict

    random = np.random.default_rng(3)
    for value in [*random.normal(size=200) * 10.0 ** random.integers(-250, 250, 200), -1e-320, 0.0]:
        exact = Fraction(float(value)) + Fraction(1, 10**400)
        shown, _, _ = _upper(Verdict(1, 0, Status.ALIVE, None, None, ""), Range(1, 0, None, exact))
        assert Fraction(shown) >= exact and abs(shown - value) <= 2e-5 * abs(value) + 1e-323
    huge = Range(1, 0, None, Fraction(10) ** 400)
    assert _upper(Verdict(1, 0, Status.ALIVE, None, None, ""), huge)[0] is None
    assert _upper(Verdict(1, 0, Status.DEAD, None, None, ""), huge)[0] == 0


@pytest.mark.parametrize("seed", range(6))
def test_what_pruning_would_save_is_what_it_saves(seed):
    random = np.random.default_rng(seed)
    sizes = [3, 6, 5, 2]
    layers = [
        (random.choice([-2, -1, 1, 2], (b, a)).tolist(), (random.integers(-6, 2, b) - (seed == 5) * 90).tolist())
        for a, b in pairwise(sizes)
    ]
    network = as_network(layers)
    report = decide(network, (-1, 1))
    before, saved = saving(network, set(report.dead))
    done = prune(network, report.domain, report, fold=False, merge=False)
    assert before == list(done.before[:2])
    assert [a - b for a, b in zip(before, saved, strict=True)] == list(done.after[:2])
    assert saved[0] == done.removed


@pytest.mark.parametrize(
    ("inputs", "given", "found"),
    [
        (784, (28, 28), (1, 28, 28, False)),
        (48, (3, 4, 4), (3, 4, 4, False)),
        (48, (4, 4, 3), (3, 4, 4, True)),
        (6, (2, 3), (1, 2, 3, False)),
        (6, (6,), "the shape of an image"),
        (784, (28, 27), "has not the 784 inputs"),
        (32, (2, 4, 4), "the shape of an image"),
        (784, None, None),
    ],
)
def test_the_shape_of_an_image(inputs, given, found):
    network = Network.from_layers([(np.ones((1, inputs)).tolist(), [0], "relu")])
    if isinstance(found, str):
        with pytest.raises(InputError, match=found):
            image_shape(network, given)
    else:
        assert image_shape(network, given) == found


def test_pictures_are_the_weights_and_the_witnesses(tmp_path):
    weights = np.zeros((2, 4, 4, 3))
    weights[0, 1, 2, 0], weights[0, 3, 3, 2] = 2, -1  # dead: 2 x - y - 3
    weights[1, 0, 1, 1] = 1
    network = as_network([(weights.reshape(2, 48).tolist(), [-3, 0], "relu")])
    data = data_of(decide(network, (0, 1)).save_page(tmp_path, image=(4, 4, 3)))
    picture = data["filters"][data["layers"][0]["filter"][0]]
    pixels = np.frombuffer(b64decode(picture["pixels"]), np.uint8).reshape(picture["size"])
    assert picture["largest"] == 2 and pixels.shape == (3, 4, 4)
    assert (pixels[0, 1, 2], pixels[2, 3, 3], pixels[1, 0, 0]) == (255, 64, 128)  # 64.5 is rounded to even
    shown = data["points"][data["layers"][0]["point"][1]]
    assert np.frombuffer(b64decode(shown["pixels"]), np.uint8).reshape(3, 4, 4)[1, 0, 1] > 0


def test_filters_that_look_alike_say_how_large_they_are(tmp_path):
    """Multiples of a filter have one grey picture, but not one scale; equal ones are drawn once."""
    weights = np.zeros((4, 16))
    weights[0, 5], weights[1, 5], weights[2, 5], weights[3, 5] = 2, 6, 2, -2
    network = as_network([(weights.tolist(), [0, 0, -1, 0], "relu")])
    data = data_of(decide(network, (0, 1)).save_page(tmp_path, image=(4, 4)))
    drawn = [data["filters"][k] for k in data["layers"][0]["filter"]]
    assert [picture["largest"] for picture in drawn] == [2, 6, 2, 2]
    assert drawn[0] == drawn[2] and len(data["filters"]) == 3


def test_a_filter_of_a_convolution_is_the_part_that_it_reads(tmp_path):
    """Wherever it stands, with channels first or last, and cut off at the border."""
    kernel = np.arange(1, 19).reshape(2, 1, 3, 3)  # two channels out of one
    for channels in (1, 3):
        for last in (False, True) if channels == 3 else (False,):
            rows = []
            for out in range(2):
                for y, x in product(range(4), range(5)):
                    padded = np.zeros((channels, 6, 7))
                    padded[:, y : y + 3, x : x + 3] = kernel[out] + 20 * np.arange(channels)[:, None, None]
                    image = padded[:, 1:5, 1:6]
                    rows.append((np.moveaxis(image, 0, -1) if last else image).ravel().astype(int).tolist())
            plain = as_network([(rows, [0] * 40, "relu")])
            read = Reading("a test", layers=(ReadLayer("conv", (2, 4, 5)),))
            network = Network(plain.inputs, plain.layers, plain.output, read)
            shape = (4, 5, channels) if last else (channels, 4, 5)
            data = data_of(decide(network, (0, 1)).save_page(tmp_path / str((channels, last)), image=shape))
            drawn = [data["filters"][k] for k in data["layers"][0]["filter"]]
            assert len(data["filters"]) == 2 * 9  # inside, at four sides, in four corners
            for k, (out, y, x) in enumerate(product(range(2), range(4), range(5))):
                part = kernel[out, :, max(0, 1 - y) : min(3, 5 - y), max(0, 1 - x) : min(3, 6 - x)]
                part = part + 20 * np.arange(channels)[:, None, None]
                pixels = np.frombuffer(b64decode(drawn[k]["pixels"]), np.uint8).reshape(drawn[k]["size"])
                assert drawn[k]["largest"] == part.max()
                assert (pixels == np.round(128 + 127 * (part / part.max()))).all()


def test_coordinates_in_pictures_are_floats_near_them():
    assert [near(x) for x in ("-1/3", "0.1", "1e400", "-1e400", "1e-400")] == [-1 / 3, 0.1, 1e300, -1e300, 0]


def test_thousands_of_neurons_stay_light(tmp_path):
    random = np.random.default_rng(0)
    bias = random.integers(-2000, 1000, 6000).tolist()
    network = Network.from_layers([(random.integers(-9, 10, (6000, 49)).tolist(), bias, "relu")])
    page = decide(network, (-1, 1)).save_page(tmp_path, bounds=False, image=(7, 7))
    data = data_of(page)
    assert page.stat().st_size < 3_000_000 and len(data["layers"][0]["kinds"]) == 6000
    assert data["omitted"] > 0 or len(data["filters"]) == 6000


def test_from_the_command_line(small, tmp_path, capsys):
    model = tmp_path / "<b>model.json"
    small.save(model)
    assert main(["decide", str(model), "--domain", "box:-1,1", "--report", str(tmp_path / "r")]) == 0
    assert str(tmp_path / "r" / "index.html") in capsys.readouterr().err
    text = (tmp_path / "r" / "index.html").read_text()
    assert "&lt;b&gt;model.json" in text and "<b>model" not in text
    refused = ["--image", "2,2"], ["--image", "2,2", "--report", str(tmp_path / "s")], ["--report", str(model)]
    for more in refused:
        assert main(["decide", str(model), "--domain", "box:-1,1", *more]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    kept = ["--certificates", str(tmp_path / "c"), "--report", str(tmp_path / "t"), "--format", "json"]
    assert main(["decide", str(model), "--domain", "box:-1,1", *kept]) == 0
    assert "ranges" not in json.loads(capsys.readouterr().out)
    data = data_of(tmp_path / "t" / "index.html")
    assert data["files"] and all(link.startswith("../c/") for link in data["files"])
    assert not (tmp_path / "t" / "certificates").exists()


def test_on_a_union(tmp_path):
    union = Union.of([Polyhedron.box([(0, 1)]), Polyhedron.box([(2, 3)])])
    report = decide([([[1], [1], [-1]], [-5, -2, 0], "relu")], union)
    data = data_of(report.save_page(tmp_path))
    assert data["layers"][0]["kinds"] == "SLT" and data["points"][data["layers"][0]["point"][1]][0] > 2


def test_what_a_bound_fixes_is_said_to_be_fixed_by_it(small, tmp_path):
    report = decide(small, (-1, 1))
    layer = report.layers[2]
    open_ = replace(layer.verdicts[0], status=Status.UNDECIDED, claim=None, supremum=None, reason="the time is over")
    half = replace(report, layers={2: replace(layer, verdicts=(open_, layer.verdicts[1]))})
    shown = data_of(half.save_page(tmp_path))
    (one,) = shown["layers"]
    assert one["kinds"] == "AS" and "lower bound" in shown["reasons"][one["reason"][0]]
    assert "ranges-layer-2" in shown["files"][one["file"][0]]


# ---- in a browser -------------------------------------------------------------------------------------------------


@pytest.fixture
def chrome(browser, small, tmp_path):
    """The page from the disk, in a window of ordinary size; nothing may have gone wrong in the end."""
    driver = browser.chrome
    page = decide(small, (-1, 1)).save_page(tmp_path, image=(1, 2))
    screen(driver, 1280, 900)
    media(driver)
    driver.get("about:blank")
    for log in ("browser", "performance"):
        driver.get_log(log)
    driver.get(page.as_uri())
    yield driver
    assert driver.get_log("browser") == []


def test_filter_and_search(chrome):
    said = one(chrome, "#count")
    assert said.text == "7 of 7 neurons" and len(chrome.find_elements("css selector", "#rows tbody tr")) == 7
    one(chrome, "input[value=L]").click()
    assert said.text == "6 of 7 neurons"
    for text, count in (("2:1", 1), ("layer 2", 2), ("l1", 4), ("1", 2), ("stably", 3), ("corner", 4), ("no such", 0)):
        one(chrome, "#words").clear()
        one(chrome, "#words").send_keys(text)
        assert said.text == f"{count} of 7 neurons", text
    one(chrome, "#filter button").click()
    chrome.execute_async_script("setTimeout(arguments[0], 50)")
    assert said.text == "7 of 7 neurons"


def test_the_keyboard_goes_from_neuron_to_neuron(chrome):
    chrome.execute_script("document.querySelector('#layer-1 canvas.map').focus()")
    panel = one(chrome, "#layer-1 .detail")
    assert "neuron 1:0" in panel.text and "stably dead (S)" in panel.text
    press(chrome, "ARROW_RIGHT", "ARROW_RIGHT")
    assert "neuron 1:2" in panel.text and "dead, touches 0 (T)" in panel.text and "supremum\n0" in panel.text
    press(chrome, "END")
    assert "neuron 1:4" in panel.text and len(panel.find_elements("css selector", "canvas")) == 2
    press(chrome, "ARROW_RIGHT")
    assert "neuron 1:4" in panel.text
    press(chrome, "TAB", "ENTER")  # the button that goes back
    assert "neuron 1:3" in panel.text


def test_pointing_shows_the_neuron(chrome):
    from selenium.webdriver import ActionChains

    canvas = one(chrome, "#layer-1 canvas.map")
    width = canvas.size["width"]
    ActionChains(chrome).move_to_element_with_offset(canvas, 12 + 24 - width // 2, 0).perform()
    assert "neuron 1:1" in one(chrome, "#layer-1 .detail").text


def test_nothing_is_asked_of_a_network(chrome):
    messages = [json.loads(entry["message"])["message"] for entry in chrome.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert [url for url in asked if not url.startswith("data:")] == [chrome.current_url]


@pytest.mark.parametrize("width", [320, 390])
def test_it_fits_a_phone(chrome, width):
    screen(chrome, width, 800, True)
    chrome.execute_async_script("setTimeout(arguments[0], 300)")
    assert chrome.execute_script("return document.documentElement.scrollWidth") <= width
    for box in chrome.find_elements("css selector", "canvas.map"):
        assert box.rect["x"] >= 0 and box.rect["x"] + box.rect["width"] <= width
