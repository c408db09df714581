"""The page that `make demo` serves, worked in a real browser: one server, one page, one visit."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib.metadata import version

import pytest
from conftest import REPO

from emo_utils.models.info import DEFAULT_MODEL

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser: pip install playwright")

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
SAMPLES = REPO / "data" / "samples"
FIGURE, TOP_SHARE = "img.widget-image", "td"
PATIENCE = 120_000  # milliseconds, on a machine that does other things as well


@pytest.fixture(scope="module")
def address():
    """Serve the page on a free port until the tests of this file are done."""
    pytest.importorskip("voila", reason="Voila serves the page: pip install voila")
    if int(version("ipywidgets").split(".")[0]) < 8:
        pytest.skip("Voila shows widgets of ipywidgets 8; this is an older one")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "emo_utils.demo", "--port", str(port)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(command, cwd=REPO, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}, **quiet)
    url = f"http://127.0.0.1:{port}/"
    try:
        wait_for(f"{url}voila/static/", server)
        yield url
    finally:
        server.terminate()
        server.wait(20)


def wait_for(url: str, server: subprocess.Popen) -> None:
    end = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < end:
        assert server.poll() is None, "Voila ended; run `python -m emo_utils.demo` to see why"
        try:
            urllib.request.urlopen(url, timeout=5)
        except urllib.error.HTTPError:
            return  # it answers: there is no such file
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail("Voila did not answer")


@pytest.fixture(scope="module")
def browser_path():
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"no browser on the path (looked for {', '.join(BROWSERS)})")
    return path


@pytest.fixture(scope="module")
def page(browser_path, address):
    with sync_api.sync_playwright() as playwright:
        # Containers have no user that Chromium's sandbox could change to; the page is our own.
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.set_default_timeout(PATIENCE)
        page.goto(address)
        page.wait_for_selector("text=Choose a sample, or upload")
        yield page
        browser.close()


def upload(page, name: str, content: bytes) -> None:
    file = {"name": name, "mimeType": "image/jpeg", "buffer": content}
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload a picture").click()
    chooser.value.set_files(file)


def choose(page, label: str, option: str) -> None:
    page.locator(".widget-dropdown", has=page.get_by_text(label, exact=True)).locator("select").select_option(option)


def answer(page, wanted: str) -> str:
    """Wait until the words of the answer hold a text; return them."""
    words = page.locator("[role=status], [role=alert]").filter(has_text=re.compile(wanted)).first
    words.wait_for()
    return words.inner_text()


def probabilities(page) -> dict[str, float]:
    table = page.get_by_role("table", name="Probability of each emotion")
    names, values = (table.locator(cell).all_inner_texts() for cell in ("th", "td"))
    return {name: float(value.rstrip("%")) / 100 for name, value in zip(names, values, strict=True)}


def changed(page, selector: str, attribute: str, before: str) -> str:
    """Wait until an element that can be seen has another text or picture than before; return it."""
    script = """([selector, attribute, before]) => {
        const seen = [...document.querySelectorAll(selector)].find(element => element.offsetParent);
        return seen && seen[attribute] !== before && seen[attribute];
    }"""
    return page.wait_for_function(script, arg=[selector, attribute, before]).json_value()


def test_a_visit(page):
    # A drawn face, by the model for drawn faces: the right emotion comes first.
    choose(page, "Model", "embedded-small-cnn")
    upload(page, "my_face.png", (SAMPLES / "drawn_happy.png").read_bytes())
    assert "happy" in answer(page, r"my_face\.png, face 1 of 1")
    shares = probabilities(page)
    assert next(iter(shares)) == "happy"
    assert sum(shares.values()) == pytest.approx(1, abs=0.01)

    # Junk: a message, and the answer is gone.
    upload(page, "junk.jpg", b"a text, not a picture")
    assert "not an image of a known format" in answer(page, r"junk\.jpg: ")
    assert page.get_by_role("table").count() == 0
    assert page.locator("img.widget-image:visible").count() == 0
    assert "Traceback" not in page.inner_text("body")

    # A photograph, and another model.
    upload(page, "astronaut.jpg", (SAMPLES / "astronaut.jpg").read_bytes())
    answer(page, r"astronaut\.jpg, face 1 of")
    likeliest = changed(page, TOP_SHARE, "innerText", "")
    choose(page, "Model", DEFAULT_MODEL)
    changed(page, TOP_SHARE, "innerText", likeliest)
    shares = probabilities(page)
    assert next(iter(shares)) == "happy"

    # Heat over the face: only the figure changes.
    before = changed(page, FIGURE, "src", "")
    page.get_by_text("Show where it looks").click()
    changed(page, FIGURE, "src", before)
    answer(page, r"astronaut\.jpg, face 1 of")
    assert probabilities(page) == shares
