"""Headless Chromium, for tests of pages; they skip where it, its driver or Selenium is absent."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import pytest

SEARCHED = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Headless Chromium; the tests skip where it, its driver or Selenium is absent."""
    selenium = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: no test in a browser")
    binary = next(filter(None, map(shutil.which, SEARCHED)), None)
    driver = shutil.which("chromedriver")
    if binary is None or driver is None:
        pytest.skip("neither chromium nor its driver is here (Debian: apt install chromium chromium-driver)")
    from selenium.webdriver.chrome.service import Service

    home = tmp_path_factory.mktemp("browser")
    options = selenium.ChromeOptions()
    options.binary_location = binary
    for argument in (*QUIET, f"--user-data-dir={home / 'profile'}"):
        options.add_argument(argument)
    (home / "downloads").mkdir()
    options.add_experimental_option("prefs", {"download.default_directory": str(home / "downloads")})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = selenium.Chrome(options=options, service=Service(driver))
    chrome.set_script_timeout(20)
    yield SimpleNamespace(chrome=chrome, downloads=home / "downloads")
    chrome.quit()


def screen(driver, width, height, mobile=False):
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def media(driver, medium="", scheme="light"):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": medium, "features": features})


def one(driver, selector):
    return driver.find_element("css selector", selector)


def press(driver, *keys):
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    for key in keys:
        ActionChains(driver).send_keys(getattr(Keys, key, key)).perform()
