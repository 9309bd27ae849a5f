"""The page in a real browser: Chromium, driven by Playwright.

Where one of them is missing, the tests are skipped, or fail if BROWSER_TESTS is `required`.
"""

import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from inference.hints_file import HintsFile

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
DROP = """([bytes, name, to]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([new Uint8Array(bytes)], name));
  for (const type of ["dragenter", "dragover", "drop"]) {
    const options = { dataTransfer: transfer, cancelable: true, bubbles: true };
    document.getElementById(to).dispatchEvent(new DragEvent(type, options));
  }
}"""


# Of all text and the borders of all controls that can be used and seen, those with less contrast
# than level AA of WCAG 2.2 wants: 4.5:1 for text and 3:1 for borders.
WEAK_CONTRASTS = """() => {
  const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const over = (colors) => {
    context.fillStyle = "#fff";
    context.fillRect(0, 0, 1, 1);
    for (const color of colors) {
      context.fillStyle = color;
      context.fillRect(0, 0, 1, 1);
    }
    return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
  };
  const behind = (element) =>
    element ? [...behind(element.parentElement), getComputedStyle(element).backgroundColor] : [];
  const luminance = (rgb) => {
    const linear = rgb.map((value) => value / 255).map((value) =>
      value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const contrast = (color, backdrop) => {
    const [dark, light] = [over([...backdrop, color]), over(backdrop)].map(luminance).sort();
    return (Math.max(dark, light) + 0.05) / (Math.min(dark, light) + 0.05);
  };
  const measured = [];
  for (const element of document.body.querySelectorAll("*")) {
    if (!element.checkVisibility() || element.closest(":disabled, option, #told")) continue;
    const style = getComputedStyle(element);
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const name = element.id || element.outerHTML.slice(0, 60);
    if (hasText) measured.push([name, "text", contrast(style.color, behind(element)), 4.5]);
    // A button that is filled needs no border.
    if (element.matches("button:not(.hint, .suggestion), .button, select, input[type=text]")) {
      const around = behind(element.parentElement);
      const edges = [style.borderTopColor, style.backgroundColor];
      measured.push([name, "border", Math.max(...edges.map((each) => contrast(each, around))), 3]);
    }
  }
  if (measured.length < 20) throw new Error("hardly anything was measured");
  return measured.filter(([, , ratio, least]) => ratio < least);
}"""

# The names of what a keyboard must reach: all controls that can be seen and used.
CONTROLS = """() =>
  [...document.querySelectorAll("button, input, select, a, [tabindex='0']")]
    .filter((each) => each.checkVisibility() && !each.matches(":disabled"))
    .map((each) => each.id || each.ariaLabel || each.innerText)"""

FOCUSED = """() => {
  const each = document.activeElement;
  const style = getComputedStyle(each);
  const isShown = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  const name = each.id || each.ariaLabel || each.innerText;
  return { name, isShown, isBody: each === document.body };
}"""


@pytest.fixture(scope="module")
def colorizer(hinted_colorizer):
    """One that takes palettes."""
    return hinted_colorizer


@pytest.fixture
def client(shared_client):
    """One server for all tests; each leaves it without photographs."""
    yield shared_client
    for photo in shared_client.json("GET", "/api/photos")["photos"]:
        shared_client.ask("DELETE", f"/api/photos/{photo['id']}")


@pytest.fixture
def page(browser, client):
    """The page in a window of its own, which must have no errors and ask no other server."""
    page = browser.new_page(viewport={"width": 1280, "height": 860}, has_touch=True)
    problems, consoled, asked = [], [], []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: message.type == "error" and consoled.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(client.address)
    yield page
    page.close()
    assert not problems
    # Chromium reports refusals too, which the page shows.
    assert [text for text in consoled if not re.search("a status of 4(15|22)", text)] == []
    assert all(url.startswith((client.address, f"blob:{client.address}")) for url in asked)


def drop(page, path, to="drop"):
    page.evaluate(DROP, [list(path.read_bytes()), path.name, to])


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
    """The edits of the first photograph once they meet a condition."""
    photo = client.json("GET", "/api/photos")["photos"][0]
    for _ in range(600):
        edits = client.json("GET", f"/api/photos/{photo['id']}/edits")
        if meet(edits):
            return edits
        page.wait_for_timeout(50)
    raise TimeoutError(edits)


def wait_for_one_photograph(page, client):
    """Waits until a dropped palette, which is removed after its colors were looked at, is gone."""
    for _ in range(600):
        photos = client.json("GET", "/api/photos")["photos"]
        if len(photos) == 1:
            return
        page.wait_for_timeout(50)
    raise TimeoutError(photos)


def test_a_person_touches_up_a_photograph_and_takes_it_home(
    page, client, photograph, colorizer, tmp_path
):
    from playwright.sync_api import expect

    path = photograph("garden.jpg", size=(240, 160))
    drop(page, path)
    shown = wait_for_colors(page)
    before = page.evaluate(COLOR_AT, [0.25, 0.5])
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
    colorizer.color(path, same, hints=hints.hints, look=hints.look())
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
    expect(page.locator("#told")).to_contain_text("Point 1 is set")
    page.locator(".hint").focus()
    page.keyboard.press("ArrowDown")
    wait_for_change(page, shown)
    edits = saved_edits(page, client)
    assert (edits["hints"][0]["x"], edits["hints"][0]["y"]) == pytest.approx((0.4, 0.51))
    # Tab reaches whatever a mouse does, and shows where it is.
    page.locator(".suggestion").first.wait_for()
    page.locator("#add").focus()
    wanted, reached = set(page.evaluate(CONTROLS)), set()
    assert "" not in wanted
    for _ in range(80):
        focused = page.evaluate(FOCUSED)
        if focused["isBody"]:
            break
        assert focused["isShown"], focused
        reached.add(focused["name"])
        page.keyboard.press("Tab")
    assert wanted <= reached
    assert {"stage", "split", "hue", "download", "remove", "larger"} < wanted
    # What is reached can be left and deleted.
    page.locator(".hint").focus()
    page.keyboard.press("Escape")
    expect(page.locator("#delete")).to_be_hidden()
    expect(page.locator("#stage")).to_be_focused()
    page.locator(".hint").focus()
    page.keyboard.press("Delete")
    expect(page.locator(".hint")).to_have_count(0)


def test_variants_calm_and_colors_of_another_are_chosen_and_undone(
    page, client, photograph, red_photograph
):
    from playwright.sync_api import expect

    drop(page, photograph(size=(240, 160)))
    shown = wait_for_colors(page)
    expect(page.locator(".variant")).to_have_count(0)
    page.locator("#variants summary").press("Enter")
    vivid, as_is = (page.get_by_role("button", name=name) for name in ("vivid", "as is"))
    expect(as_is).to_have_attribute("aria-pressed", "true")
    for picture in page.locator(".variant img").all():
        expect(picture).to_have_attribute("src", re.compile("blob:"))
    vivid.press("Enter")
    expect(vivid).to_have_attribute("aria-pressed", "true")
    expect(vivid).to_be_focused()
    expect(page.locator("#saturation-shown")).to_have_text("140 %")
    shown = wait_for_change(page, shown)
    page.locator("#calm").fill("0.5")
    page.locator("#calm").dispatch_event("change")
    shown = wait_for_change(page, shown)
    # A gray photograph has no palette; one in color has, and does not stay on the page.
    drop(page, photograph("gray.jpg"), to="drop-palette")
    expect(page.locator(".message.bad")).to_contain_text("gray.jpg: it is not in color")
    drop(page, red_photograph, to="drop-palette")
    expect(page.locator("#palette-colors span")).not_to_have_count(0)
    wait_for_change(page, shown)
    edits = saved_edits(page, client, lambda edits: "palette" in edits)
    assert (edits["variant"], edits["calm"]) == ("vivid", 0.5)
    for name in ("palette", "calm", "variant"):
        page.locator("#undo").click()
        edits = saved_edits(page, client, lambda edits, name=name: name not in edits)
    assert edits == {"version": 1, "hints": []}
    wait_for_one_photograph(page, client)
    expect(page.locator("#saturation-shown")).to_have_text("100 %")
    expect(as_is).to_have_attribute("aria-pressed", "true")
    for _ in range(3):
        page.locator("#redo").click()
    saved_edits(page, client, lambda edits: "palette" in edits)
    page.locator("#no-palette").click()
    saved_edits(page, client, lambda edits: "palette" not in edits)
    # One that is on the page may be chosen too.
    drop(page, red_photograph)
    page.locator("#use-palette").click()
    expect(page.locator("#palette-colors span")).not_to_have_count(0)


def columns_with_color(page):
    """Whether each column of the picture on the screen has colors."""
    box = page.locator("#stage").bounding_box()
    # Above the handle of the line.
    clip = {**box, "height": box["height"] / 2}
    with Image.open(io.BytesIO(page.screenshot(clip=clip))) as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    return np.median(np.ptp(pixels, axis=-1), axis=0) > 0


def swipe(page, starts, ends):
    """Moves fingers over the screen, each from a place to another."""
    session = page.context.new_cdp_session(page)
    for kind, places in (("touchStart", starts), ("touchMove", ends), ("touchEnd", [])):
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_the_line_between_before_and_after_is_moved(page, photograph):
    drop(page, photograph(size=(240, 160)))
    wait_for_colors(page)
    assert columns_with_color(page).all()
    page.locator("#split").focus()
    for _ in range(4):
        page.keyboard.press("PageUp")
    colored = columns_with_color(page)
    assert not colored[: int(0.38 * len(colored))].any()
    assert colored[int(0.42 * len(colored)) :].all()
    box, line = (page.locator(name).bounding_box() for name in ("#stage", "#divider"))
    middle = line["x"] + line["width"] / 2, line["y"] + 50
    assert middle[0] == pytest.approx(box["x"] + 0.4 * box["width"], abs=1)
    # With the mouse, then with a finger.
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], middle[1], steps=3)
    page.mouse.up()
    assert float(page.locator("#split").input_value()) == pytest.approx(70, abs=1)
    places = [(box["x"] + share * box["width"], middle[1]) for share in (0.7, 0.2)]
    swipe(page, places[:1], places[1:])
    colored = columns_with_color(page)
    assert not colored[: int(0.18 * len(colored))].any()
    assert colored[int(0.22 * len(colored)) :].all()
    assert page.locator(".hint").count() == 0


def test_the_photograph_is_compared_at_full_size(page, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (1400, 2100), "uint8")
    path = tmp_path / "noise.png"
    Image.fromarray(noise).save(path)
    page.set_input_files("#files", path)
    wait_for_colors(page)
    page.locator("#split").fill("50")
    page.locator("#full-size").click()
    page.wait_for_selector("#gray-part:visible")
    page.wait_for_selector("#colored-part:visible")
    assert page.locator("#full-size").inner_text() == "100 %"
    frame, stage = (page.locator(name).bounding_box() for name in ("#viewport", "#stage"))
    assert (stage["width"], stage["height"]) == (2100, 1400)
    left, top = round(frame["x"] - stage["x"]), round(frame["y"] - stage["y"])
    clip = {**frame, "width": 200, "height": 200}
    with Image.open(io.BytesIO(page.screenshot(clip=clip))) as image:
        seen = np.asarray(image.convert("L")).astype(int)
    wanted = noise[top : top + 200, left : left + 200]
    # A JPEG of noise; one that was shrunk and enlarged would differ by 60.
    assert np.abs(seen[20:, 20:] - wanted[20:, 20:]).mean() < 12
    # The line stays in view, between the two.
    line = page.locator("#divider").bounding_box()
    assert line["x"] + 12 == pytest.approx(frame["x"] + frame["width"] / 2, abs=1)


def test_two_fingers_and_the_wheel_zoom(page, photograph):
    drop(page, photograph(size=(240, 160)))
    wait_for_colors(page)
    box = page.locator("#stage").bounding_box()
    x, y = box["x"] + box["width"] / 4, box["y"] + box["height"] / 2
    swipe(page, [(x - 40, y), (x + 40, y)], [(x - 80, y), (x + 80, y)])
    larger = page.locator("#stage").bounding_box()
    assert larger["width"] == pytest.approx(2 * box["width"], rel=0.02)
    # What was between the fingers still is.
    assert (x - larger["x"]) / larger["width"] == pytest.approx(0.25, abs=0.01)
    page.mouse.move(x, y)
    for _ in range(4):
        page.mouse.wheel(0, 300)
    page.wait_for_function(f"document.getElementById('stage').offsetWidth <= {box['width'] + 1}")
    assert page.locator(".hint").count() == 0


def test_the_wheel_shows_hues_where_the_photograph_is_dark(page, tmp_path):
    path = tmp_path / "night.png"
    Image.new("L", (120, 80), 20).save(path)
    drop(page, path)
    wait_for_colors(page)
    click_at(page, 0.5, 0.5)
    page.locator(".suggestion").first.wait_for()
    painted = page.evaluate(
        """() => {
          const wheel = document.getElementById("wheel");
          const pixels = wheel.getContext("2d").getImageData(0, 0, wheel.width, wheel.height).data;
          return Math.max(...pixels);
        }"""
    )
    assert painted > 150
    assert "dark" in page.locator("#looks").inner_text()
    # What is chosen is shown as dark as it will be, whatever its code.
    page.locator("#code").fill("#ff8800")
    page.keyboard.press("Enter")
    shown = page.evaluate("getComputedStyle(document.getElementById('swatch')).backgroundColor")
    assert max(int(number) for number in re.findall(r"\d+", shown)) < 60


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
def test_all_is_legible_and_a_telephone_shows_picture_and_colors_together(
    page, photograph, tmp_path, scheme
):
    page.emulate_media(color_scheme=scheme)
    letter = tmp_path / "letter.jpg"
    letter.write_text("Dear aunt")
    drop(page, letter)
    page.locator(".message.bad").wait_for()
    drop(page, photograph("a name that is long enough to be wider than a telephone.jpg"))
    wait_for_colors(page)
    click_at(page, 0.5, 0.5)
    page.locator(".suggestion").first.wait_for()
    page.locator("#variants summary").click()
    page.locator(".variant").first.wait_for()
    assert page.evaluate(WEAK_CONTRASTS) == []
    page.set_viewport_size({"width": 360, "height": 740})
    page.locator("#done").click()
    page.locator("#stage").tap(position={"x": 40, "y": 40})
    page.locator(".suggestion").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.evaluate(WEAK_CONTRASTS) == []
    page.wait_for_function(
        """() => {
          const box = (id) => document.getElementById(id).getBoundingClientRect();
          return box("frame").top >= 0 && box("frame").bottom <= box("point").top
            && box("wheel").bottom <= innerHeight && box("done").bottom <= innerHeight;
        }"""
    )
    page.locator("#done").click()
    page.locator("#point").wait_for(state="hidden")


def test_what_went_wrong_is_said_in_words(page, tmp_path):
    from playwright.sync_api import expect

    path = tmp_path / "letter.jpg"
    path.write_text("Dear aunt")
    drop(page, path)
    message = page.get_by_role("alert").locator(".message")
    expect(message).to_contain_text("letter.jpg: not an image")
    message.get_by_role("button").click()
    expect(message).to_have_count(0)
