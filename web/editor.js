// One photograph, large: before and after, the points that a person sets, and their colors.

import * as api from "./api.js";
import { History } from "./history.js";
import { say, tell } from "./messages.js";
import * as palette from "./palette.js";
import * as variants from "./variants.js";
import * as view from "./view.js";
import * as wheel from "./wheel.js";

const get = (id) => document.getElementById(id);
const stage = get("stage");
const points = get("points");

const UNKNOWN = "#777777";
const SLIDERS = ["saturation", "calm"];

let photo = null; // what the server says of it
let edits = { version: 1, hints: [] };
let selected = -1; // the number of the point among the hints
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
  [selected, page] = [-1, 0];
  cross = { x: 0.5, y: 0.5 };
  get("editor").hidden = false;
  // Nothing can be changed before it is known what was.
  get("editor").inert = true;
  onOpen();
  fill();
  try {
    const [loaded] = await Promise.all([api.edits(newPhoto.id), view.show(newPhoto, page)]);
    if (photo?.id !== newPhoto.id) return;
    edits = loaded;
    if (!histories.has(photo.id)) histories.set(photo.id, new History(edits));
    fill();
    variants.show(photo, page, edits);
  } catch (error) {
    if (photo?.id === newPhoto.id) say(`${newPhoto.name}: ${error.message}`, { bad: true });
  } finally {
    if (photo?.id === newPhoto.id) get("editor").inert = false;
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
  view.hide();
  get("editor").hidden = true;
}

/** Forgets what was done to a photograph that is gone. */
export function forget(id) {
  histories.delete(id);
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
      await view.refresh();
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
  showSaved();
}

function showSaved() {
  if (!photo) return;
  fillSliders();
  palette.fill(photo, edits);
  variants.show(photo, page, edits);
  onChange(photo);
}

/** Changes what the server may refuse, or has to read, as a step that can be undone. */
async function choose(values) {
  await saving;
  const own = photo.id;
  const accepted = await api.save(own, { ...edits, ...values });
  const read = await api.edits(own);
  if (photo?.id !== own) return;
  photo = accepted;
  // Points may have been set meanwhile.
  edits = { ...edits, ...values, palette: read.palette, palette_from: undefined };
  await commit();
}

function step(direction) {
  const can = direction === "undo" ? history().canUndo : history().canRedo;
  if (!can) return;
  edits = history()[direction]();
  selected = -1;
  fill();
  tell(direction === "undo" ? "Undone" : "Redone");
  save().then(showSaved);
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
  tell(`Point ${edits.hints.length} is set; choose its color`);
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
  tell(`Point ${index + 1} is deleted`);
  unselect();
  commit();
}

function unselect() {
  selected = -1;
  // First, because a point that has the focus is selected.
  stage.focus({ preventScroll: true });
  fill();
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
      // What cannot be told apart in the dark is told apart above.
      button.style.background = `linear-gradient(${wheel.visible(color)} 60%, ${color} 60%)`;
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
    event.stopPropagation();
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
    const { x, y } = view.placeOf(move);
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
  fillSliders();
  palette.fill(photo, edits);
  get("page-label").hidden = photo.pages < 2;
  get("page").max = photo.pages;
  get("page").value = page + 1;
  get("hints-file").href = api.hintsAddress(photo.id);
  fillNotes();
  fillPoints();
}

function fillSliders() {
  for (const name of SLIDERS) {
    const value = edits[name] ?? photo[name];
    get(name).value = value;
    get(`${name}-shown`).textContent = `${Math.round(100 * value)} %`;
  }
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
  const half = 100 * hint.radius;
  reach.style.left = `calc(${100 * hint.x}% - ${half}cqmin)`;
  reach.style.top = `calc(${100 * hint.y}% - ${half}cqmin)`;
  reach.style.width = reach.style.height = `${2 * half}cqmin`;
}

function fillCross() {
  get("cross").hidden = false;
  get("cross").style.left = `${100 * cross.x}%`;
  get("cross").style.top = `${100 * cross.y}%`;
}

// The photograph itself: a click sets a point; with the keyboard, a cross is moved first.

stage.addEventListener("click", (event) => {
  const { x, y } = view.placeOf(event);
  addPoint(x, y);
});
stage.addEventListener("keydown", (event) => {
  if (event.target !== stage) return;
  if (MOVES[event.key]) {
    event.preventDefault();
    const length = event.shiftKey ? 0.1 : 0.02;
    cross.x = clamp(cross.x + length * MOVES[event.key][0]);
    cross.y = clamp(cross.y + length * MOVES[event.key][1]);
    view.reveal(cross);
    fillCross();
    tell(`${Math.round(100 * cross.x)} % across, ${Math.round(100 * cross.y)} % down`);
  } else if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    addPoint(cross.x, cross.y);
  } else if (event.key === "Delete" || event.key === "Backspace") deletePoint(selected);
});
stage.addEventListener("blur", () => {
  get("cross").hidden = true;
});

// Buttons and sliders

get("undo").addEventListener("click", () => step("undo"));
get("redo").addEventListener("click", () => step("redo"));
get("delete").addEventListener("click", () => deletePoint(selected));
get("done").addEventListener("click", unselect);
get("radius").addEventListener("change", () => resize(selected, get("radius").value / 100));
for (const name of SLIDERS) {
  get(name).addEventListener("input", () => {
    edits[name] = Number(get(name).value);
    fillSliders();
    save();
  });
  get(name).addEventListener("change", commit);
}
get("page").addEventListener("change", () => {
  page = Math.min(photo.pages, Math.max(1, Math.round(get("page").value))) - 1;
  selected = -1;
  fill();
  variants.show(photo, page, edits);
  view.show(photo, page).catch((error) => say(error.message, { bad: true }));
});
document.addEventListener("keydown", (event) => {
  if (!photo || get("editor").inert) return;
  if (event.key === "Escape" && selected >= 0) unselect();
  if (!(event.ctrlKey || event.metaKey) || event.target.matches("input[type=text]")) return;
  const key = event.key.toLowerCase();
  if (key !== "z" && key !== "y") return;
  event.preventDefault();
  step(key === "y" || event.shiftKey ? "redo" : "undo");
});
wheel.onChoice(colorPoint);
palette.onChoice(choose);
variants.onChoice(async (name) => {
  // What was set by hand would outrank the variant.
  const values = { saturation: undefined, calm: undefined };
  try {
    await choose({ ...values, variant: edits.variant === name ? undefined : name });
  } catch (error) {
    say(error.message, { bad: true });
  }
});
