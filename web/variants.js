// The variants of the photograph: a row of pictures to choose from, colored while it is open.

import * as api from "./api.js";
import { say, tell } from "./messages.js";

const box = document.getElementById("variants");
const row = document.getElementById("variant-row");
const leftOut = document.getElementById("left-out");

// Pictures would hold up the preview while a person tries colors.
const PAUSE = 1500;

let shown = null; // the id of the photograph and its page
let wanted = ""; // what the pictures should show: photograph, page, hints and palette
let drawn = ""; // and what they do show
let requests = 0;
let onChange = () => {};

/** Calls a function of the name of a variant when it is chosen. */
export function onChoice(listener) {
  onChange = listener;
}

/** Offers the variants of a page of a photograph with edits that the server has. */
export function show({ id }, page, edits) {
  if (id !== shown?.id) {
    row.replaceChildren();
    drawn = "";
  }
  shown = { id, page };
  wanted = JSON.stringify([id, page, edits.hints, edits.palette]);
  leftOut.hidden = !edits.palette;
  fill();
}

async function fill() {
  const number = ++requests;
  const isOutdated = () => number !== requests;
  if (!box.open || !shown) return;
  try {
    const { variants } = await api.variants(shown.id);
    if (isOutdated()) return;
    fillButtons(variants);
    if (drawn === wanted) return;
    if (drawn) await new Promise((resolve) => setTimeout(resolve, PAUSE));
    // One after the other: a browser has few connections, and previews need one.
    for (const [index, variant] of variants.entries()) {
      if (isOutdated()) return;
      await draw(variant, row.children[index], isOutdated);
    }
    if (!isOutdated()) drawn = wanted;
  } catch (error) {
    say(error.message, { bad: true });
  }
}

function fillButtons(variants) {
  const names = variants.map(({ name }) => name);
  // Whoever is on a button should stay there.
  if (names.join() !== [...row.children].map((button) => button.name).join()) {
    row.replaceChildren(...variants.map(makeButton));
    drawn = "";
  }
  for (const [index, { is_chosen: isChosen }] of variants.entries()) {
    row.children[index].setAttribute("aria-pressed", String(isChosen));
  }
}

function makeButton({ name, label }) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "variant";
  button.name = name;
  const image = new Image();
  image.alt = "";
  const title = document.createElement("span");
  title.textContent = label;
  button.append(image, title);
  button.addEventListener("click", async () => {
    for (const each of row.children) each.setAttribute("aria-pressed", String(each === button));
    tell(`Coloring: ${label}`);
    await onChange(name);
    fill();
  });
  return button;
}

async function draw({ label, image: address }, button, isOutdated) {
  let blob;
  try {
    blob = await api.blob(`${address}?page=${shown.page}`);
  } catch (error) {
    say(`${label}: ${error.message}`, { bad: true });
    return;
  }
  if (isOutdated()) return;
  const image = button.querySelector("img");
  if (image.src) URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(blob);
}

box.addEventListener("toggle", fill);
