// One photograph, large: before and after, the points that a person sets, and their colors.

import * as api from "./api.js";
import { History } from "./history.js";
import { say } from "./messages.js";
import * as wheel from "./wheel.js";

const get = (id) => document.getElementById(id);
const stage = get("stage");
const viewport = get("viewport");
const points = get("points");

// Sizes of the preview in pixels, of the photograph as a whole and enlarged. The server colors a
// preview of 4:3 in three strips up to this size, and in four from 1,255 on.
const PREVIEW = 1248;
const ENLARGED = 2048;
const LARGEST_ZOOM = 6;
const UNKNOWN = "#777777";

let photo = null; // what the server says of it
let edits = { version: 1, hints: [] };
let selected = -1; // the number of the point among the hints
let zoom = 1;
let page = 0;
let cross = { x: 0.5, y: 0.5 };
let onChange = () => {};
const histories = new Map();

const clamp = (value) => Math.min(1, Math.max(0, value));
const history = () => histories.get(photo.id);

/** Calls a function with what the server says of a photograph after each change. */
export function onSaved(listener) {
  onChange = listener;
}

/** The id of the photograph that is shown, or nothing. */
export const currentId = () => photo?.id;

/** Opens a photograph, and calls a function as soon as it is the one that is shown. */
export async function open(newPhoto, onOpen) {
  // What was changed last about the one before must not be lost.
  await saving;
  photo = newPhoto;
  edits = { version: 1, hints: [] };
  [selected, zoom, page] = [-1, 1, 0];
  viewport.style.height = "";
  cross = { x: 0.5, y: 0.5 };
  get("editor").hidden = false;
  onOpen();
  for (const image of [get("gray"), get("colored")]) image.removeAttribute("src");
  fill();
  try {
    const loaded = await api.edits(newPhoto.id);
    if (photo !== newPhoto) return;
    edits = loaded;
    if (!histories.has(photo.id)) histories.set(photo.id, new History(edits));
    fill();
    await Promise.all([load("gray"), load("colored")]);
  } catch (error) {
    if (photo === newPhoto) say(`${newPhoto.name}: ${error.message}`, { bad: true });
  }
}

/** Shows what has changed about the photograph. */
export function update(newPhoto) {
  const wereNotes = photo.notes.join();
  photo = newPhoto;
  if (photo.notes.join() !== wereNotes) fillNotes();
}

/** Closes the photograph. */
export function close() {
  photo = null;
  get("editor").hidden = true;
}

/** Forgets what was done to a photograph that is gone. */
export function forget(id) {
  histories.delete(id);
}

/** Changes the edits of the photograph that is shown, as if a person had. */
export async function replaceEdits(newEdits) {
  edits = newEdits;
  selected = -1;
  await commit();
}

// Pictures

async function load(kind) {
  const [id, shownPage] = [photo.id, page];
  const size = zoom > 1 ? ENLARGED : PREVIEW;
  const blob = await api.picture(id, kind, size, shownPage);
  const address = URL.createObjectURL(blob);
  const image = get(kind);
  const loading = new Image();
  loading.src = address;
  await loading.decode();
  if (photo?.id !== id || page !== shownPage) {
    URL.revokeObjectURL(address);
    return;
  }
  const before = image.src;
  image.src = address;
  if (before) URL.revokeObjectURL(before);
  if (shownPage > 0 || kind === "gray") fit(loading.naturalWidth / loading.naturalHeight);
}

let shape = 1;

function fit(newShape = shape) {
  shape = newShape;
  const height = Math.max(240, window.innerHeight * 0.68);
  const width = Math.min(viewport.clientWidth, height * shape);
  stage.style.width = `${width * zoom}px`;
  stage.style.height = `${(width * zoom) / shape}px`;
  fillReach();
}

// Saving: while one change is on its way, the next ones wait and only the last is sent.

let saving = null;
let isDirty = false;

function save() {
  isDirty = true;
  saving ??= send().finally(() => {
    saving = null;
  });
  return saving;
}

async function send() {
  try {
    while (isDirty && photo) {
      isDirty = false;
      const { id } = photo;
      const saved = await api.save(id, edits);
      if (photo?.id !== id) return;
      photo = saved;
      await load("colored");
    }
  } catch (error) {
    say(error.message, { bad: true });
  }
}

/** Keeps the edits as a step that can be undone, and sends them. */
async function commit() {
  history().add(edits);
  fill();
  await save();
  if (photo) onChange(photo);
}

function step(direction) {
  const can = direction === "undo" ? history().canUndo : history().canRedo;
  if (!can) return;
  edits = history()[direction]();
  selected = -1;
  fill();
  save().then(() => photo && onChange(photo));
}

// Points

async function addPoint(x, y) {
  const own = photo.id;
  let suggested;
  try {
    suggested = await api.suggestions(own, x, y, page);
  } catch (error) {
    say(error.message, { bad: true });
    return;
  }
  if (photo?.id !== own) return;
  const color = suggested.colors[0]?.color ?? UNKNOWN;
  edits.hints.push({ x, y, color, radius: 0, page });
  selected = edits.hints.length - 1;
  showSuggestions(suggested);
  commit();
}

async function select(index) {
  selected = index;
  fill();
  const hint = edits.hints[index];
  if (!hint) return;
  try {
    const suggested = await api.suggestions(photo.id, hint.x, hint.y, hint.page);
    if (edits.hints[selected] === hint) showSuggestions(suggested);
  } catch (error) {
    say(error.message, { bad: true });
  }
}

function deletePoint(index) {
  if (!edits.hints[index]) return;
  edits.hints.splice(index, 1);
  selected = -1;
  commit();
  stage.focus({ preventScroll: true });
}

function colorPoint(color, isDone) {
  const hint = edits.hints[selected];
  if (!hint) return;
  hint.color = color;
  if (isDone) commit();
  else {
    fillPoints();
    save();
  }
}

function showSuggestions({ lightness, colors }) {
  const hint = edits.hints[selected];
  wheel.show(hint.color, lightness);
  get("suggestions").replaceChildren(
    ...colors.map(({ name, color }) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "suggestion";
      button.style.background = color;
      button.title = name;
      button.setAttribute("aria-label", `${name}, ${color}`);
      button.addEventListener("click", () => {
        wheel.show(color);
        colorPoint(color, true);
      });
      return button;
    }),
  );
}

function makePoint(hint, index) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "hint";
  button.style.left = `${100 * hint.x}%`;
  button.style.top = `${100 * hint.y}%`;
  button.style.background = hint.color;
  button.setAttribute("aria-pressed", String(index === selected));
  button.setAttribute("aria-label", `Point ${index + 1}, ${hint.color}`);
  button.addEventListener("click", (event) => event.stopPropagation());
  button.addEventListener("pointerdown", (event) => drag(event, button, index));
  button.addEventListener("focus", () => selected !== index && select(index));
  button.addEventListener("contextmenu", (event) => {
    event.preventDefault();
    deletePoint(index);
  });
  button.addEventListener("wheel", (event) => {
    event.preventDefault();
    resize(index, hint.radius - Math.sign(event.deltaY) * 0.005);
  });
  button.addEventListener("keydown", (event) => movePointWithKey(event, index));
  return button;
}

function drag(event, button, index) {
  if (event.button !== 0) return;
  event.stopPropagation();
  const hint = edits.hints[index];
  const start = [event.clientX, event.clientY];
  let isMoved = false;
  button.setPointerCapture(event.pointerId);
  button.onpointermove = (move) => {
    isMoved ||= Math.hypot(move.clientX - start[0], move.clientY - start[1]) > 3;
    if (!isMoved) return;
    const { x, y } = placeOf(move);
    Object.assign(hint, { x, y });
    button.style.left = `${100 * x}%`;
    button.style.top = `${100 * y}%`;
    fillReach();
    save();
  };
  button.onpointerup = () => {
    button.onpointermove = button.onpointerup = null;
    if (isMoved) commit().then(() => select(index));
  };
}

const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function movePointWithKey(event, index) {
  if (event.key === "Delete" || event.key === "Backspace") {
    event.preventDefault();
    event.stopPropagation();
    deletePoint(index);
  } else if (MOVES[event.key]) {
    event.preventDefault();
    event.stopPropagation();
    const hint = edits.hints[index];
    const length = event.shiftKey ? 0.05 : 0.01;
    hint.x = clamp(hint.x + length * MOVES[event.key][0]);
    hint.y = clamp(hint.y + length * MOVES[event.key][1]);
    commit();
    points.querySelector("[aria-pressed=true]")?.focus();
  }
}

function resize(index, radius) {
  edits.hints[index].radius = Math.min(0.2, Math.max(0, radius));
  commit();
}

function placeOf(event) {
  const box = stage.getBoundingClientRect();
  return {
    x: clamp((event.clientX - box.left) / box.width),
    y: clamp((event.clientY - box.top) / box.height),
  };
}

// What is shown

function fill() {
  get("name").textContent = photo.name;
  stage.setAttribute("aria-label", `${photo.name}, ${edits.hints.length} points`);
  get("undo").disabled = !history()?.canUndo;
  get("redo").disabled = !history()?.canRedo;
  get("point").disabled = selected < 0;
  get("no-point").hidden = selected >= 0;
  if (selected < 0) get("suggestions").replaceChildren();
  else {
    get("radius").value = 100 * edits.hints[selected].radius;
    wheel.show(edits.hints[selected].color);
  }
  get("saturation").value = edits.saturation ?? 1;
  fillSaturation();
  get("page-label").hidden = photo.pages < 2;
  get("page").max = photo.pages;
  get("page").value = page + 1;
  get("hints-file").href = api.hintsAddress(photo.id);
  fillNotes();
  fillPoints();
}

function fillSaturation() {
  get("saturation-shown").textContent = `${Math.round(100 * get("saturation").value)} %`;
}

function fillNotes() {
  get("notes").replaceChildren(
    ...photo.notes.map((note) => {
      const entry = document.createElement("li");
      entry.textContent = note;
      return entry;
    }),
  );
}

function fillPoints() {
  const focused = [...points.children].indexOf(document.activeElement);
  points.replaceChildren(
    ...edits.hints.map(makePoint).filter((_, index) => edits.hints[index].page === page),
  );
  points.children[focused]?.focus({ preventScroll: true });
  fillReach();
}

function fillReach() {
  const hint = edits.hints[selected];
  const reach = get("reach");
  reach.hidden = !hint || hint.page !== page || !hint.radius;
  if (reach.hidden) return;
  const half = hint.radius * Math.min(stage.offsetWidth, stage.offsetHeight);
  reach.style.left = `calc(${100 * hint.x}% - ${half}px)`;
  reach.style.top = `calc(${100 * hint.y}% - ${half}px)`;
  reach.style.width = reach.style.height = `${2 * half}px`;
}

function fillCross() {
  get("cross").hidden = false;
  get("cross").style.left = `${100 * cross.x}%`;
  get("cross").style.top = `${100 * cross.y}%`;
}

function zoomBy(factor) {
  const before = zoom;
  zoom = Math.min(LARGEST_ZOOM, Math.max(1, zoom * factor));
  const middle = [
    (viewport.scrollLeft + viewport.clientWidth / 2) / stage.offsetWidth,
    (viewport.scrollTop + viewport.clientHeight / 2) / stage.offsetHeight,
  ];
  if (zoom > 1) viewport.style.height = `${viewport.offsetHeight}px`;
  else viewport.style.height = "";
  fit();
  viewport.scrollLeft = middle[0] * stage.offsetWidth - viewport.clientWidth / 2;
  viewport.scrollTop = middle[1] * stage.offsetHeight - viewport.clientHeight / 2;
  if (before === 1 || zoom === 1) {
    Promise.all([load("gray"), load("colored")]).catch((error) => say(error.message, { bad: true }));
  }
}

// The photograph itself: a click sets a point, a drag of the mouse moves the enlarged picture.

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
stage.addEventListener("click", (event) => {
  if (isPanned) return;
  const { x, y } = placeOf(event);
  addPoint(x, y);
});
stage.addEventListener("keydown", (event) => {
  if (event.target !== stage) return;
  if (MOVES[event.key]) {
    event.preventDefault();
    const length = event.shiftKey ? 0.1 : 0.02;
    cross.x = clamp(cross.x + length * MOVES[event.key][0]);
    cross.y = clamp(cross.y + length * MOVES[event.key][1]);
    fillCross();
  } else if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    addPoint(cross.x, cross.y);
  } else if (event.key === "Delete" || event.key === "Backspace") deletePoint(selected);
  else if (event.key === "+") zoomBy(1.5);
  else if (event.key === "-") zoomBy(1 / 1.5);
});
stage.addEventListener("blur", () => {
  get("cross").hidden = true;
});
viewport.addEventListener(
  "wheel",
  (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoomBy(event.deltaY < 0 ? 1.2 : 1 / 1.2);
  },
  { passive: false },
);
new ResizeObserver(() => photo && fit()).observe(viewport);

// Buttons and sliders

get("split").addEventListener("input", () => {
  const share = Number(get("split").value);
  get("colored").style.clipPath = share ? `inset(0 0 0 ${share}%)` : "";
  get("divider").hidden = share === 0 || share === 100;
  get("divider").style.left = `${share}%`;
});
get("undo").addEventListener("click", () => step("undo"));
get("redo").addEventListener("click", () => step("redo"));
get("larger").addEventListener("click", () => zoomBy(1.5));
get("smaller").addEventListener("click", () => zoomBy(1 / 1.5));
get("delete").addEventListener("click", () => deletePoint(selected));
get("radius").addEventListener("change", () => resize(selected, get("radius").value / 100));
get("saturation").addEventListener("input", () => {
  edits.saturation = Number(get("saturation").value);
  fillSaturation();
  save();
});
get("saturation").addEventListener("change", commit);
get("page").addEventListener("change", () => {
  page = Math.min(photo.pages, Math.max(1, Math.round(get("page").value))) - 1;
  selected = -1;
  fill();
  Promise.all([load("gray"), load("colored")]).catch((error) => say(error.message, { bad: true }));
});
document.addEventListener("keydown", (event) => {
  if (!photo || !(event.ctrlKey || event.metaKey) || event.target.matches("input[type=text]")) return;
  const key = event.key.toLowerCase();
  if (key !== "z" && key !== "y") return;
  event.preventDefault();
  step(key === "y" || event.shiftKey ? "redo" : "undo");
});
wheel.onChoice(colorPoint);
