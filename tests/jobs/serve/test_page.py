"""The page in a real browser: Chromium, driven by Playwright; skipped where one is missing."""

import json
import re
import shutil

import numpy as np
import pytest

from inference.hints_file import HintsFile

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")

# The color of a place in [0, 1] of the colored picture.
COLOR_AT = """async ([x, y]) => {
  const image = document.getElementById("colored");
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const at = [Math.floor(x * canvas.width), Math.floor(y * canvas.height)];
  return [...context.getImageData(...at, 1, 1).data.slice(0, 3)];
}"""

# Drops a file on the page, as a person does.
DROP = """([bytes, name]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([new Uint8Array(bytes)], name));
  for (const type of ["dragenter", "dragover", "drop"]) {
    document.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, cancelable: true }));
  }
}"""


pytestmark = pytest.mark.slow


def missing(what):
    pytest.skip(f"{what} is not installed")


@pytest.fixture(scope="module")
def browser():
    path = next(filter(None, map(shutil.which, CHROMIUMS)), None) or missing("Chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("Playwright")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser, client):
    """The page in a window of its own, which must have no errors and ask no other server."""
    page = browser.new_page(viewport={"width": 1280, "height": 860})
    problems, asked = [], []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: message.type == "error" and problems.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(client.address)
    yield page
    page.close()
    assert not problems
    assert all(url.startswith((client.address, f"blob:{client.address}")) for url in asked)


def drop(page, path, name=None):
    page.evaluate(DROP, [list(path.read_bytes()), name or path.name])


def wait_for_colors(page):
    from playwright.sync_api import expect

    expect(page.locator("#strip img")).not_to_have_count(0, timeout=60_000)
    expect(page.locator("#colored")).to_have_attribute("src", re.compile("blob:"), timeout=60_000)
    return page.locator("#colored").get_attribute("src")


def wait_for_change(page, before):
    from playwright.sync_api import expect

    expect(page.locator("#colored")).not_to_have_attribute("src", before, timeout=60_000)
    return page.locator("#colored").get_attribute("src")


def click_at(page, x, y):
    box = page.locator("#stage").bounding_box()
    page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])


def saved_edits(page, client, meet=lambda edits: True):
    """The edits of the only photograph once they meet a condition."""
    [photo] = client.json("GET", "/api/photos")["photos"]
    for _ in range(600):
        edits = client.json("GET", f"/api/photos/{photo['id']}/edits")
        if meet(edits):
            return edits
        page.wait_for_timeout(50)
    raise TimeoutError(edits)


def test_a_person_touches_up_a_photograph_and_takes_it_home(
    page, client, photograph, colorizer, tmp_path
):
    from playwright.sync_api import expect

    path = photograph("garden.jpg", size=(240, 160))
    drop(page, path)
    shown = wait_for_colors(page)
    before = page.evaluate(COLOR_AT, [0.25, 0.5])
    # Gray from the left, up to the slider.
    page.locator("#split").fill("40")
    assert "40%" in page.locator("#colored").get_attribute("style")
    page.locator("#split").focus()
    page.keyboard.press("ArrowRight")
    assert "41%" in page.locator("#colored").get_attribute("style")
    page.locator("#split").fill("0")
    # A point, and a color from the suggestions.
    click_at(page, 0.25, 0.5)
    shown = wait_for_change(page, shown)
    page.locator(".suggestion").last.click()
    shown = wait_for_change(page, shown)
    edits = saved_edits(page, client)
    [hint] = edits["hints"]
    assert (hint["x"], hint["y"]) == pytest.approx((0.25, 0.5), abs=0.01)
    wanted = [int(hint["color"][first : first + 2], 16) for first in (1, 3, 5)]
    after = page.evaluate(COLOR_AT, [0.25, 0.5])
    assert np.abs(np.subtract(after, wanted)).max() < 12
    assert np.abs(np.subtract(after, before)).max() > 5
    # Undo and redo with the keyboard.
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    expect(page.locator(".hint")).to_have_count(0)
    wait_for_change(page, shown)
    page.keyboard.press("Control+Shift+z")
    page.keyboard.press("Control+Shift+z")
    expect(page.locator(".hint")).to_have_count(1)
    page.locator("#saturation").fill("0.5")
    expect(page.locator("#saturation-shown")).to_have_text("50 %")
    edits = saved_edits(page, client, lambda edits: edits.get("saturation") == 0.5)
    assert edits["hints"] == [hint]
    with page.expect_download() as download:
        page.locator("#download").click()
    assert download.value.suggested_filename == "garden.jpg"
    with page.expect_download() as hints_download:
        page.locator("#hints-file").click()
    hints = HintsFile.read(hints_download.value.path())
    same = tmp_path / "same.jpg"
    colorizer.color(path, same, hints=hints.hints, saturation=hints.saturation)
    assert download.value.path().read_bytes() == same.read_bytes()


def test_a_point_is_dragged_and_deleted(page, client, photograph):
    from playwright.sync_api import expect

    drop(page, photograph(size=(240, 160)))
    wait_for_colors(page)
    click_at(page, 0.5, 0.5)
    point = page.locator(".hint")
    expect(point).to_have_count(1)
    box, stage = point.bounding_box(), page.locator("#stage").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(
        stage["x"] + 0.75 * stage["width"], stage["y"] + 0.25 * stage["height"], steps=5
    )
    page.mouse.up()
    near = pytest.approx((0.75, 0.25), abs=0.02)
    saved_edits(page, client, lambda edits: [(h["x"], h["y"]) for h in edits["hints"]] == [near])
    point.click(button="right")
    expect(point).to_have_count(0)


def test_everything_works_by_keyboard(page, client, photograph):
    from playwright.sync_api import expect

    drop(page, photograph(size=(240, 160)))
    shown = wait_for_colors(page)
    page.locator("#stage").focus()
    page.keyboard.press("Shift+ArrowLeft")
    expect(page.locator("#cross")).to_be_visible()
    page.keyboard.press("Enter")
    shown = wait_for_change(page, shown)
    page.locator(".hint").focus()
    page.keyboard.press("ArrowDown")
    wait_for_change(page, shown)
    edits = saved_edits(page, client)
    assert (edits["hints"][0]["x"], edits["hints"][0]["y"]) == pytest.approx((0.4, 0.51))
    page.keyboard.press("Delete")
    expect(page.locator(".hint")).to_have_count(0)
    # Every control has a name, and a screen reader hears what happens.
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, a")]
          .filter((each) => each.checkVisibility())
          .filter((each) => !(each.innerText || each.ariaLabel || each.labels?.length))
          .map((each) => each.outerHTML)"""
    )
    assert not unnamed
    assert page.locator("#messages").get_attribute("aria-live") == "polite"


def test_a_file_of_hints_is_dropped_on_its_photograph(page, client, photograph, tmp_path):
    from playwright.sync_api import expect

    drop(page, photograph("garden.jpg"))
    wait_for_colors(page)
    hints = {"version": 1, "hints": [{"x": 0.5, "y": 0.5, "color": "navy"}]}
    path = tmp_path / "garden.jpg.hints.json"
    path.write_text(json.dumps(hints))
    drop(page, path)
    expect(page.locator(".hint")).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_telephone_shows_the_page_without_scrolling_sideways(page, photograph, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 360, "height": 740})
    drop(page, photograph("a name that is long enough to be wider than a telephone.jpg"))
    wait_for_colors(page)
    click_at(page, 0.5, 0.5)
    page.locator(".suggestion").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_what_went_wrong_is_said_in_words(browser, client, tmp_path):
    from playwright.sync_api import expect

    page = browser.new_page()
    page.goto(client.address)
    path = tmp_path / "letter.jpg"
    path.write_text("Dear aunt")
    drop(page, path)
    message = page.locator(".message.bad")
    expect(message).to_contain_text("letter.jpg: not an image")
    message.get_by_role("button").click()
    expect(message).to_have_count(0)
    page.close()
