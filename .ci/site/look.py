"""Look at the built site in headless Chromium: ``python .ci/site/look.py [--pictures DIRECTORY] [PAGE ...]``.

At the width of a desk and of a phone, no page may be wider than the window, ask another host for something, or complain
in the console. With --pictures each page is also saved as two PNG files.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HTML = Path(__file__).resolve().parents[2] / "build" / "site" / "html"
SIZES = {"desk": (1280, 900, False), "phone": (390, 844, True)}
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars")  # fmt: skip


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *what: Any) -> None:
        """Nothing."""


def driver(home: str) -> Any:
    """Chromium, with what it asks for and complains of kept."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    for flag in (*FLAGS, f"--user-data-dir={home}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))


def faults(chrome: Any, address: str, page: str, size: str, pictures: Path | None) -> list[str]:
    """What is wrong with a page at a size."""
    width, height, mobile = SIZES[size]
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    chrome.get(f"{address}/{page}")
    wide = chrome.execute_script("return document.documentElement.scrollWidth")
    wrong = [f"{page} on a {size}: {wide} pixels wide"] if wide > width else []
    for entry in chrome.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            asked = message["params"]["request"]["url"]
            if not asked.startswith((address, "data:", "blob:", "chrome:")):
                wrong.append(f"{page} asks for {asked}")
    wrong += [f"{page}: {entry['message']}" for entry in chrome.get_log("browser")]
    if pictures is not None:
        chrome.save_screenshot(str(pictures / f"{page.replace('/', '-').removesuffix('.html')}-{size}.png"))
    return wrong


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Look at the built site in headless Chromium.")
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("pages", nargs="*")
    options = parser.parse_args(arguments)
    pages = options.pages or sorted(str(path.relative_to(HTML)) for path in HTML.rglob("*.html"))
    if not (pages and shutil.which("chromedriver")):
        print("look: no site (make site), or neither chromium nor its driver is here")
        return 0 if pages else 1
    if options.pictures is not None:
        options.pictures.mkdir(parents=True, exist_ok=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=HTML))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as home:
        chrome = driver(home)
        try:
            for size in SIZES:
                for page in pages:
                    wrong += faults(chrome, address, page, size, options.pictures)
        finally:
            chrome.quit()
            server.shutdown()
    print(
        "\n".join([*wrong[:40], *([f"... {len(wrong)} in all"] if len(wrong) > 40 else [])])
        or f"look: {len(pages)} pages at {len(SIZES)} widths"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
