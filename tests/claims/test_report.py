"""The report: a page that is complete without a network, checked as text and in headless Chromium, and its files."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
import time
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from browsing import media, one, press, screen

from geomrelu import InputError, checker
from geomrelu.claims import registry as claims
from geomrelu.claims import report, runner
from geomrelu.claims.report import formulas, mathml
from geomrelu.cli.main import main

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PROOFS = ROOT / "proofs"

PLANTED = {
    "drawn": """
import matplotlib.figure
@claim.sample("draws", trials=1000, seed=1)
def draws(trials, seed, depth):
    yield "fair", 500, Fraction(1, 2)
@claim.figure("a line & nothing else")
def line():
    figure = matplotlib.figure.Figure(figsize=(9, 3))
    figure.subplots().plot([0, 1])
    return figure
""",
    "printed": """
@claim.enumerate("numbers")
def numbers(depth):
    yield "n < 2", 1, "<=", 2
    yield "n = 2", 3, "<=", 2, Again("print('<b>3</b>'[3])" + "  # long" * 40)
""",
    "true": """
@claim.enumerate("numbers")
def numbers(depth):
    yield 3, "<=", 3
""",
    "torn": """
@claim.derive("identities")
def identities(depth):
    raise ValueError("a <script>alert(1)</script> & more")
    yield
""",
}
HEAD = """
from fractions import Fraction
from geomrelu.claims.registry import Again, Claim
claim = Claim("{label}", "The claim {label}", "a < b & c", r"{latex}", "{source}", ("n > 0",), {uses}, {correction})
"""
WIDE = r"n > 0:\quad " + " + ".join([r"\frac{a_1 + b_1 + c_1}{d_1}"] * 9) + r" \le \sum_{i < n} \binom{n}{i}"


@pytest.fixture(scope="module")
def proofs(tmp_path_factory):
    """A small registry: planted claims, and a real one whose certificates are handed over."""
    directory = tmp_path_factory.mktemp("proofs")
    more = {"printed": ((), "true"), "true": (("drawn",), None)}
    for label, checks in PLANTED.items():
        uses, correction = more.get(label, ((), None))
        source = "Rister & Rubin, section 10" if label == "drawn" else "Brownlowe et al., theorem 2"
        head = HEAD.format(label=label, latex=WIDE, source=source, uses=uses, correction=repr(correction))
        (directory / f"{label}.py").write_text(head + checks, encoding="utf-8")
    shutil.copy(PROOFS / "first-layer-alive.py", directory)
    return directory


@pytest.fixture(scope="module")
def site(proofs, tmp_path_factory):
    """A report on all of them."""
    directory = tmp_path_factory.mktemp("report")
    results = list(runner.run(kept=runner.Kept(directory), proofs=proofs))
    report.write(directory, results, claims.load(proofs))
    return directory


# ---- formulas -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", sorted(path.stem for path in PROOFS.glob("*.py")))
def test_every_statement_is_typeset(label):
    source = (PROOFS / f"{label}.py").read_text(encoding="utf-8")
    found = formulas(_latex(source))
    assert found.count("<math ") == found.count("</math>") >= 1
    assert not re.search(r"\\|\$|<merror", found)


def _latex(source):
    """The ``latex=`` of a claim, without running its file."""
    import ast

    call: Any
    (call,) = (n.value for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Assign) and _is_claim(n))
    return next(ast.literal_eval(k.value) for k in call.keywords if k.arg == "latex")


def _is_claim(node):
    return getattr(node.targets[0], "id", "") == "claim"


@pytest.mark.parametrize("latex", [r"a \unknown b", r"\text{for $n$}", r"\text{50 \%}", r"\frac{a"])
def test_what_cannot_be_typeset_is_refused(latex):
    with pytest.raises(InputError, match="no MathML"):
        formulas(latex)


def test_letters_stand_for_themselves():
    assert "<mi>ℝ</mi>" in mathml(r"\mathbb R") and "<mi>ℒ</mi>" in mathml(r"\mathcal L")
    assert formulas(r"a:\quad b").count("<math") == 2
    assert formulas(r"\text{a}\left(a\quad b\right) \quad c").count("<math") == 2
    assert formulas(r"\begin{pmatrix} a \quad b \end{pmatrix}").count("<math") == 1


# ---- figures ------------------------------------------------------------------------------------------------------


def test_every_figure_can_be_drawn(tmp_path):
    """Each with the same bytes twice."""
    drawn = {}
    for claim in claims.load().values():
        for caption, draw in claim.figures:
            first, second = report._drawn(draw), report._drawn(draw)
            assert caption and first == second and first.startswith(b"<?xml")
            drawn[claim.label] = len(first)
    assert {"figure-1-code", "figure-2-images", "figure-3-images", "figure-4-images"} <= set(drawn)
    assert sum(drawn.values()) < 3_000_000


def test_a_figure_that_fails_does_not_cost_the_page(proofs, tmp_path):
    registry = claims.load(proofs)
    registry["drawn"].figures[:] = [("a <figure>", lambda: 1 / 0)]
    registry["true"].latex = r"a \unknown <b>"
    results = list(claims.verify(["true"], registry=registry))
    text = report.write(tmp_path, results, registry).read_text(encoding="utf-8")
    assert "a &lt;figure&gt;: not drawn (ZeroDivisionError" in text and r"<code>a \unknown &lt;b&gt;</code>" in text
    Page(text)


# ---- the page as text ---------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """Tags that are closed in order, ids, links."""

    VOID = ("meta", "link", "input", "img", "br")

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.tags = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        own = dict(attributes)
        self.tags.append((tag, own))
        self.ids += [own["id"]] if "id" in own else []
        self.links += [own[k] for k in ("href", "src", "action", "poster", "srcset") if k in own]
        if tag not in self.VOID and not self.get_starttag_text().endswith("/>"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole(site):
    text = (site / "index.html").read_text(encoding="utf-8")
    page = Page(text)
    assert len(set(page.ids)) == len(page.ids)
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids
        elif not link.startswith("data:"):
            assert (site / link).is_file() and not Path(link).is_absolute()
    assert set(re.findall(r"https?://[^\s\"'<]+", text)) == {"http://www.w3.org/1998/Math/MathML"}
    assert "style=" not in text and "<script>alert" not in text and "\\frac" not in text
    assert [tag for tag, _ in page.tags].count("h1") == [tag for tag, _ in page.tags].count("main") == 1
    assert all("alt" in own for tag, own in page.tags if tag == "img")


def test_the_page_says_what_was_found(site):
    text = (site / "index.html").read_text(encoding="utf-8")
    for said in (
        "5 claims: 1 ENUMERATED, 2 SAMPLED, 1 BROKEN; 1 false as printed, refuted by an exact counterexample and",
        "enumerate (numbers): case 2 (n = 2): 3 &lt;= 2 is false",
        "False as printed; true instead",
        'No stronger than</b> <a href="#drawn">',
        "ValueError: a &lt;script&gt;alert(1)&lt;/script&gt; &amp; more",
        "See it again:",
    ):
        assert said in text, said
    results = json.loads((site / "results.json").read_text())
    assert {r["label"]: r["status"] for r in results} == {
        "drawn": "SAMPLED",
        "first-layer-alive": "ENUMERATED",
        "printed": "REFUTED",
        "torn": "BROKEN",
        "true": "SAMPLED",
    }


def test_a_report_is_the_same_each_time(site, proofs, tmp_path):
    results = list(runner.run(kept=runner.Kept(site), proofs=proofs))  # all but what broke is kept there
    again = report.write(tmp_path, results, claims.load(proofs)).read_text(encoding="utf-8")
    first = (site / "index.html").read_text(encoding="utf-8")
    files = partial(
        re.sub, r"(<p class=.related.>| · )<a href=.evidence[^>]*>[^<]*</a>(</p>)?|[\d.,]+ s(econds)?\b|\n", ""
    )
    assert files(again).replace("</p></article>", "</article>") == files(first).replace("</p></article>", "</article>")
    assert (tmp_path / "figures" / "drawn-1.svg").read_bytes() == (site / "figures" / "drawn-1.svg").read_bytes()


def test_a_part_says_that_it_is_one(site, proofs, tmp_path):
    (only,) = runner.run(["drawn"], proofs=proofs)
    text = report.write(tmp_path, [only], claims.load(proofs), complete=False).read_text(encoding="utf-8")
    assert "<strong>Interrupted.</strong>" in text and "1 of the 5 claims of the registry" in text
    Page(text)


def test_certificates_are_accepted_by_both_checkers(site, capsys):
    found = sorted(p for p in (site / "certificates").glob("*.json") if p.name.count(".") == 1)
    assert len(found) == 4
    for path in found:
        model, domain = path.with_suffix(".model.json"), path.with_suffix(".domain.json")
        alone = [sys.executable, str(ROOT / "geomrelu" / "checker.py"), str(path), str(model), str(domain)]
        assert subprocess.run(alone, capture_output=True).returncode == 0
        assert main(["check", str(path), "--model", str(model), "--domain", str(domain)]) == 0
        broken = path.read_text().replace('"alive"', '"dead"')
        assert '"dead"' in broken
        with pytest.raises(checker.Rejected):
            checker.check(
                json.loads(broken, parse_float=str),
                checker.Model.parse(json.loads(model.read_text())),
                checker.Domain.parse(json.loads(domain.read_text())),
            )
    capsys.readouterr()


def test_what_cannot_be_written_is_said(proofs, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError):
        runner.Kept(tmp_path / "file")
    with pytest.raises(InputError):
        report.write(tmp_path / "file", [], claims.load(proofs))


# ---- in a browser -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(site):
    """The report on a web server of this machine."""

    class Silent(SimpleHTTPRequestHandler):
        def log_message(self, *what):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def chrome(browser, served):
    """The page in a window of ordinary size, just loaded, with empty logs; nothing may have gone wrong in the end."""
    driver = browser.chrome
    screen(driver, 1100, 900)
    media(driver)
    driver.get("about:blank")
    for log in ("browser", "performance"):
        driver.get_log(log)
    driver.get(f"{served}/index.html")
    yield driver
    assert driver.get_log("browser") == []


def _visible(driver):
    return driver.execute_script(
        "return [...document.querySelectorAll('article')].filter((a) => a.checkVisibility()).map((a) => a.id)"
    )


EVERY = ["first-layer-alive", "drawn", "printed", "true", "torn"]  # true corrects printed


def test_the_filter(chrome):
    said = one(chrome, "#count")
    assert (_visible(chrome), said.text) == (EVERY, "5 of 5 claims")
    one(chrome, "input[value=REFUTED]").click()
    assert (_visible(chrome), said.text) == (["printed"], "1 of 5 claims")
    assert not one(chrome, "#paper-0").is_displayed() and one(chrome, "#paper-1").is_displayed()
    one(chrome, "input[value=BROKEN]").click()
    assert _visible(chrome) == ["printed", "torn"]
    words = one(chrome, "#words")
    words.send_keys("THEOREM tor")
    assert _visible(chrome) == ["torn"]
    words.send_keys(" nothing of the kind")
    assert (_visible(chrome), said.text) == ([], "0 of 5 claims")
    one(chrome, "form button").click()
    assert (_visible(chrome), said.text) == (EVERY, "5 of 5 claims")


def test_a_link_reveals_what_the_filter_hides(chrome):
    one(chrome, "input[value=REFUTED]").click()
    one(chrome, "#printed .true a").click()
    assert _visible(chrome) == EVERY
    assert chrome.execute_script("return document.querySelector('article:target').id") == "true"
    top = chrome.execute_script("return document.getElementById('true').getBoundingClientRect().top")
    assert -1 <= top < 900


def test_without_a_script_everything_is_there(chrome, served):
    chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        chrome.get(f"{served}/index.html")
        assert one(chrome, "#torn").is_displayed() and not one(chrome, "form").is_displayed()
    finally:
        chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_nothing_is_requested_but_the_page(chrome, served):
    chrome.execute_script("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    chrome.execute_script("scrollTo(0, document.body.scrollHeight)")
    assert chrome.execute_script("return [...document.images].every((i) => i.complete && i.naturalWidth > 0)")
    messages = [json.loads(entry["message"])["message"] for entry in chrome.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert [url for url in asked if not url.startswith("data:")] == [f"{served}/index.html"]


def test_the_policy_lets_nothing_through(chrome, served):
    ask = "const done = arguments[1]; fetch(arguments[0]).then(() => done('fetched'), () => done('refused'))"
    assert chrome.execute_async_script(ask, f"{served}/results.json") == "refused"
    load = """const done = arguments[1], image = new Image();
    image.onload = () => done('loaded'); image.onerror = () => done('refused'); image.src = arguments[0];"""
    assert chrome.execute_async_script(load, f"{served}/figures/drawn-1.svg") == "refused"
    refused = chrome.get_log("browser")
    assert refused and all("Content Security Policy" in entry["message"] for entry in refused)


def test_it_opens_from_the_disk(chrome, site):
    chrome.get((site / "index.html").as_uri())
    assert _visible(chrome) == EVERY
    one(chrome, "input[value=SAMPLED]").click()
    assert _visible(chrome) == ["drawn", "true"]


def test_certificates_and_figures_download(chrome, browser, site):
    chrome.execute_script("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    for link in ("certificates/first-layer-alive-1.json", "evidence/printed.json", "figures/drawn-1.svg"):
        one(chrome, f'a[href="{link}"]').click()
        path = browser.downloads / Path(link).name
        deadline = time.monotonic() + 120
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert path.read_bytes() == (site / link).read_bytes()
    assert chrome.current_url.endswith("index.html")


def test_by_keyboard(chrome):
    press(chrome, "TAB")
    skip = chrome.switch_to.active_element
    assert skip.text == "Skip to the claims" and skip.rect["x"] >= 0
    press(chrome, "ENTER")
    assert chrome.switch_to.active_element.get_attribute("id") == "claims"
    chrome.get(chrome.current_url.partition("#")[0])
    seen = []
    while chrome.switch_to.active_element.get_attribute("id") != "words":
        assert len(seen) < 20
        press(chrome, "TAB")
        active = chrome.switch_to.active_element
        style = "const o = arguments[0], s = getComputedStyle(o.type === 'checkbox' ? o.nextElementSibling : o);"
        outline = chrome.execute_script(style + "return [s.outlineStyle, parseFloat(s.outlineWidth)]", active)
        assert outline[0] == "solid" and outline[1] >= 2
        seen.append(active.tag_name)
        if active.get_attribute("value") == "REFUTED":
            press(chrome, "SPACE")
            assert _visible(chrome) == ["printed"]
    assert {"a", "summary", "input"} <= set(seen)
    press(chrome, "p", "r", "i", "ENTER")  # no form is sent
    assert _visible(chrome) == ["printed"] and chrome.current_url.endswith("index.html")
    press(chrome, "TAB")
    assert chrome.switch_to.active_element.text == "Show all"
    press(chrome, "ENTER")
    assert _visible(chrome) == EVERY


def test_what_a_screen_reader_meets(chrome):
    nodes = chrome.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    said = [(n["role"]["value"], n.get("name", {}).get("value", "")) for n in nodes if not n.get("ignored")]
    roles = [role for role, _ in said]
    assert all(
        roles.count(role) == 1 for role in ("main", "search", "banner", "contentinfo", "navigation", "searchbox")
    )
    assert {("search", "Filter the claims"), ("searchbox", "Search"), ("group", "Show only")} <= set(said)
    assert {("checkbox", "refuted 1"), ("checkbox", "sampled 2"), ("image", "a line & nothing else")} <= set(said)
    assert ("article", "The claim printed") in said and ("table", "Evidence for The claim printed") in said
    assert roles.count("MathMLMath") == 10  # five statements: a condition, and what follows
    assert all(name for role, name in said if role in ("link", "button", "checkbox", "searchbox", "image", "region"))
    assert chrome.execute_script("return document.getElementById('count').ariaLive") == "polite"
    levels = chrome.execute_script("return [...document.querySelectorAll('h1,h2,h3,h4')].map((h) => +h.tagName[1])")
    assert levels[0] == 1 and all(b - a <= 1 for a, b in pairwise(levels))


@pytest.mark.parametrize(("width", "mobile"), [(320, True), (360, True), (800, False)])
def test_nothing_is_wider_than_the_screen(chrome, width, mobile):
    screen(chrome, width, 700, mobile)
    chrome.refresh()
    chrome.execute_script("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert chrome.execute_script("return [innerWidth, document.documentElement.scrollWidth]") == [width, width]
    formula = "const f = document.querySelector('#drawn .formula'); return [f.scrollWidth, f.clientWidth]"
    whole, shown = chrome.execute_script(formula)
    assert shown <= width and (whole > shown or width == 800)  # a wide formula scrolls by itself


CONTRAST = """
const seen = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map((v) => v / 255);
const light = (colour) => seen(colour).map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const behind = (node) => {
  for (; node; node = node.parentElement) {
    const colour = getComputedStyle(node).backgroundColor;
    if (!colour.startsWith("rgba(0, 0, 0, 0")) return colour;
  }
};
const worst = [];
for (const node of document.querySelectorAll("body *:not(script)")) {
  if (![...node.childNodes].some((c) => c.nodeType === 3 && c.data.trim())) continue;
  const [a, b] = [light(getComputedStyle(node).color), light(behind(node))].sort((x, y) => y - x);
  worst.push([(a + 0.05) / (b + 0.05), node.outerHTML.slice(0, 60)]);
}
return worst.sort((x, y) => x[0] - y[0])[0];
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(chrome, scheme):
    """WCAG AA: at least 4.5 : 1, also where a status is chosen."""
    media(chrome, scheme=scheme)
    for box in chrome.find_elements("css selector", "input[type=checkbox]"):
        box.click()
    dark = chrome.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(23, 22, 20)"
    assert dark == (scheme == "dark")
    ratio, where = chrome.execute_script(CONTRAST)
    assert ratio >= 4.5, where


def test_on_paper(chrome):
    media(chrome, "print")
    chrome.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert not one(chrome, "form").is_displayed()
    assert all(details.get_attribute("open") for details in chrome.find_elements("css selector", "details"))
    chrome.execute_script("dispatchEvent(new Event('afterprint'))")
    assert not any(details.get_attribute("open") for details in chrome.find_elements("css selector", "details"))
