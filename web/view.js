// The photograph on the screen: before and after along a line, zoom and pan.

import * as api from "./api.js";
import { say } from "./messages.js";

const get = (id) => document.getElementById(id);
const [frame, viewport, stage, divider] = ["frame", "viewport", "stage", "divider"].map(get);
const sheet = get("point");

// Longer sides in pixels of the whole picture, and of it enlarged. The server colors a preview of
// 4:3 in three strips up to the first, and in four from 1,255 on.
const PREVIEW = 1248;
const ENLARGED = 2048;
// The longest side of a part at full size that the server sends.
const LARGEST_PART = 3072;

const LARGEST_ZOOM = 6; // at least; it is also twice the full size
const STEP = 1.5;
const SLOWNESS = 600; // pixels that a wheel turns while the zoom grows e-fold
const PAUSE = 150; // milliseconds after the last movement until sharper pictures are loaded

let shown = null; // the id of the photograph, the page, its width and its height
let width = 1; // of the whole page on the screen
let zoom = 1; // 1 shows the whole page
let share = 0; // of the visible picture that is gray, from the left
let size = PREVIEW;
let part = null; // left, top, width and height at full size

const clamp = (value, low = 0, high = 1) => Math.min(high, Math.max(low, value));

/** Shows a page of a photograph from the server. */
export async function show(photo, page) {
  const [columns, rows] = photo.sizes[page];
  shown = { id: photo.id, page, width: columns, height: rows };
  [zoom, size] = [1, PREVIEW];
  for (const id of ["gray", "colored"]) get(id).removeAttribute("src");
  hidePart();
  fit();
  await Promise.all([load("gray"), load("colored")]);
}

/** Shows nothing. */
export function hide() {
  shown = null;
}

/** Loads the colors anew. */
export async function refresh() {
  await Promise.all([part && load("colored", part), load("colored")]);
}

/** The place of a pointer as shares of the width and the height. */
export function placeOf(event) {
  const box = stage.getBoundingClientRect();
  return {
    x: clamp((event.clientX - box.left) / box.width),
    y: clamp((event.clientY - box.top) / box.height),
  };
}

/** Moves an enlarged picture so that a place is in view. */
export function reveal({ x, y }) {
  const margin = 40;
  for (const [axis, at, visible] of [
    ["scrollLeft", x * stage.offsetWidth, viewport.clientWidth],
    ["scrollTop", y * stage.offsetHeight, viewport.clientHeight],
  ]) {
    viewport[axis] = clamp(viewport[axis], at - visible + margin, at - margin);
  }
}

// Pictures

const numbers = new Map(); // of the request whose picture an image has
let requests = 0;

async function load(kind, wanted = null) {
  const [page, image, number] = [shown, get(wanted ? `${kind}-part` : kind), ++requests];
  const blob = await api.picture(page.id, kind, page.page, wanted ? { part: wanted } : { size });
  const loading = new Image();
  loading.src = URL.createObjectURL(blob);
  await loading.decode();
  // Another photograph, another part, or an answer that was overtaken.
  if (shown !== page || (wanted && part !== wanted) || number < numbers.get(image)) {
    URL.revokeObjectURL(loading.src);
    return;
  }
  numbers.set(image, number);
  const before = image.src;
  image.src = loading.src;
  if (before) URL.revokeObjectURL(before);
  if (wanted) placePart(image);
}

function placePart(image) {
  for (const [number, side] of ["left", "top", "width", "height"].entries()) {
    const whole = number % 2 ? shown.height : shown.width;
    image.style[side] = `${(100 * part[number]) / whole}%`;
  }
  image.hidden = false;
}

function hidePart() {
  part = null;
  for (const id of ["gray-part", "colored-part"]) get(id).hidden = true;
}

let later;

function sharpenSoon() {
  clearTimeout(later);
  later = setTimeout(
    () => sharpen().catch((error) => say(error.message, { bad: true })),
    PAUSE,
  );
}

async function sharpen() {
  if (!shown) return;
  const wantedSize = zoom > 1 ? ENLARGED : PREVIEW;
  const isOther = wantedSize !== size;
  size = wantedSize;
  const wanted = visiblePart();
  const isNew = wanted && wanted.join() !== part?.join();
  if (isNew) part = wanted;
  else if (!wanted) hidePart();
  await Promise.all(
    ["colored", "gray"].flatMap((kind) => [isNew && load(kind, wanted), isOther && load(kind)]),
  );
}

/** What is in view, if its pixels are more than the enlarged picture has. */
function visiblePart() {
  const scale = shown.width / (width * zoom);
  const longer = Math.max(shown.width, shown.height) / scale;
  const isEnough = Math.min(longer * devicePixelRatio, longer * scale) <= ENLARGED;
  if (zoom === 1 || isEnough) return null;
  const [view, picture] = [viewport.getBoundingClientRect(), stage.getBoundingClientRect()];
  const pixel = (length, most) => clamp(Math.round(length * scale), 0, most);
  const left = pixel(view.left - picture.left, shown.width);
  const top = pixel(view.top - picture.top, shown.height);
  const columns = pixel(view.right - picture.left, shown.width) - left;
  const rows = pixel(view.bottom - picture.top, shown.height) - top;
  return Math.max(columns, rows) <= LARGEST_PART ? [left, top, columns, rows] : null;
}

// Size

let covered = 0; // pixels at the bottom of a telephone, by the sheet of colors

function fit() {
  if (!shown) return;
  const before = covered;
  covered = getComputedStyle(sheet).position === "fixed" ? sheet.offsetHeight : 0;
  document.body.style.setProperty("--covered", `${covered}px`);
  const room = covered ? window.innerHeight - covered - 16 : 0.68 * window.innerHeight;
  const shape = shown.width / shown.height;
  width = Math.min(viewport.clientWidth, Math.max(room, covered ? 120 : 240) * shape);
  viewport.style.height = `${width / shape}px`;
  stage.style.width = `${width * zoom}px`;
  stage.style.height = `${(width * zoom) / shape}px`;
  fillZoom();
  placeLine();
  sharpenSoon();
  if (covered && !before) frame.scrollIntoView({ block: "start" });
}

/** The zoom at which a pixel of the photograph is one of the screen. */
const fullSize = () => shown.width / width / devicePixelRatio;

function zoomTo(wanted, at = viewport.getBoundingClientRect()) {
  // A rectangle has no pointer in it: its middle stays where it is.
  const [x, y] = [at.clientX ?? at.left + at.width / 2, at.clientY ?? at.top + at.height / 2];
  const place = placeOf({ clientX: x, clientY: y });
  zoom = clamp(wanted, 1, Math.max(LARGEST_ZOOM, 2 * fullSize()));
  fit();
  const box = stage.getBoundingClientRect();
  // To whole pixels, so that those of the photograph are sharp.
  viewport.scrollLeft = Math.round(viewport.scrollLeft + box.left + place.x * box.width - x);
  viewport.scrollTop = Math.round(viewport.scrollTop + box.top + place.y * box.height - y);
}

function zoomToFullSize() {
  zoomTo(Math.abs(zoom - fullSize()) < 0.01 ? 1 : fullSize());
}

function fillZoom() {
  const percent = Math.round((100 * zoom) / fullSize());
  get("full-size").textContent = `${percent} %`;
  get("full-size").setAttribute("aria-label", `Full size; now at ${percent} %`);
  get("full-size").setAttribute("aria-pressed", String(percent === 100));
  get("full-size").disabled = fullSize() <= 1;
  get("smaller").disabled = zoom === 1;
}

get("larger").addEventListener("click", () => zoomTo(zoom * STEP));
get("smaller").addEventListener("click", () => zoomTo(zoom / STEP));
get("full-size").addEventListener("click", zoomToFullSize);
stage.addEventListener("keydown", (event) => {
  if (event.key === "+") zoomTo(zoom * STEP);
  else if (event.key === "-") zoomTo(zoom / STEP);
  else if (event.key === "1") zoomToFullSize();
  else if (event.key === "0") zoomTo(1);
});
frame.addEventListener(
  "wheel",
  (event) => {
    // The page scrolls where there is nothing to make smaller.
    if (!event.ctrlKey && zoom === 1 && event.deltaY > 0) return;
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode ? 20 : 1);
    zoomTo(zoom * Math.exp(-pixels / SLOWNESS), event);
  },
  { passive: false },
);
viewport.addEventListener("scroll", () => {
  placeLine();
  sharpenSoon();
});
for (const each of [frame, sheet]) new ResizeObserver(fit).observe(each);
window.addEventListener("resize", fit);

// Two fingers zoom and move; one finger scrolls, as the browser does it.

let pinch = null;

function spread([first, second]) {
  return {
    clientX: (first.clientX + second.clientX) / 2,
    clientY: (first.clientY + second.clientY) / 2,
    distance: Math.hypot(first.clientX - second.clientX, first.clientY - second.clientY),
  };
}

for (const type of ["touchstart", "touchmove"]) {
  frame.addEventListener(
    type,
    (event) => {
      if (event.touches.length !== 2) return;
      event.preventDefault();
      const now = spread(event.touches);
      if (pinch) {
        zoomTo((zoom * now.distance) / pinch.distance, pinch);
        viewport.scrollBy(pinch.clientX - now.clientX, pinch.clientY - now.clientY);
      }
      pinch = now;
    },
    { passive: false },
  );
}
for (const type of ["touchend", "touchcancel"]) {
  frame.addEventListener(type, () => {
    pinch = null;
  });
}

// A drag of the mouse moves the enlarged picture; the click at its end sets no point.

let isPanned = false;
stage.addEventListener("pointerdown", (event) => {
  isPanned = false;
  if (event.pointerType !== "mouse" || event.button !== 0 || zoom === 1) return;
  const start = [event.clientX, event.clientY];
  const from = [viewport.scrollLeft, viewport.scrollTop];
  const move = (moved) => {
    const by = [moved.clientX - start[0], moved.clientY - start[1]];
    isPanned ||= Math.hypot(...by) > 5;
    if (isPanned) viewport.scrollTo(from[0] - by[0], from[1] - by[1]);
  };
  window.addEventListener("pointermove", move);
  window.addEventListener("pointerup", () => window.removeEventListener("pointermove", move), {
    once: true,
  });
});
stage.addEventListener("click", (event) => isPanned && event.stopImmediatePropagation(), {
  capture: true,
});

// The line between before and after

function visibleSides() {
  const [view, picture] = [viewport.getBoundingClientRect(), stage.getBoundingClientRect()];
  return {
    left: Math.max(view.left, picture.left),
    right: Math.min(view.right, picture.right),
    view: view.left,
    picture: picture.left,
  };
}

function placeLine() {
  const { left, right, view, picture } = visibleSides();
  const at = left + share * (right - left);
  divider.style.left = `${at - view}px`;
  divider.classList.toggle("at-edge", share === 0 || share === 1);
  get("after").style.clipPath = share ? `inset(0 0 0 ${at - picture}px)` : "";
}

function moveLine(newShare) {
  share = clamp(newShare);
  placeLine();
}

get("split").addEventListener("input", () => moveLine(get("split").value / 100));
divider.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  event.preventDefault();
  divider.setPointerCapture(event.pointerId);
  divider.onpointermove = ({ clientX }) => {
    const { left, right } = visibleSides();
    moveLine((clientX - left) / (right - left));
    get("split").value = 100 * share;
  };
  divider.onpointerup = divider.onpointercancel = () => {
    divider.onpointermove = null;
  };
});
