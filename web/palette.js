// The colors of another photograph, for the whole of the one that is shown.

import * as api from "./api.js";
import { codeOfRgb, rgbOfHue } from "./lab.js";
import { say, tell } from "./messages.js";

const get = (id) => document.getElementById(id);
const choices = get("palette-from");

const MOST = 12; // colors that are shown
const LIGHTNESS = 60; // of them, for a palette has none

let photos = [];
let shownId = null;
let onChange = () => {};

/** Calls a function of what changes in the edits when a palette is chosen or taken off. */
export function onChoice(listener) {
  onChange = listener;
}

/** Shows the palette of a photograph, where its weights take one. */
export function fill(photo, { palette }) {
  shownId = photo.id;
  get("palette").hidden = !photo.takes_palette;
  get("palette-used").hidden = !palette;
  const largest = [...(palette ?? [])].sort((first, second) => second[2] - first[2]);
  get("palette-colors").replaceChildren(...largest.slice(0, MOST).map(makeBar));
  fillChoices();
}

/** Offers the photographs on the page that are in color. */
export function offer(newPhotos) {
  photos = newPhotos.filter((photo) => photo.is_in_color);
  fillChoices();
}

/** Whether a photograph is shown that can take a palette. */
export const isOffered = () => get("palette").checkVisibility();

/** Takes the palette of the first of the files that were dropped. */
export async function takeFrom(files) {
  const [file] = await files;
  if (!file) {
    say("There were no files in what was dropped.", { bad: true });
    return;
  }
  try {
    const { id } = await api.upload(file, () => {});
    // It is no photograph to color.
    await use(id, file.name).finally(() => api.remove(id));
  } catch (error) {
    say(`${file.name}: ${error.message}`, { bad: true });
  }
}

async function use(id, name) {
  try {
    await onChange({ palette: undefined, palette_from: id });
    tell(`The colors of ${name} are used`);
  } catch (error) {
    say(`${name}: ${error.message.replace(`palette_from ${id}: `, "")}`, { bad: true });
  }
}

function makeBar([a, b, share]) {
  const bar = document.createElement("span");
  const hue = (Math.atan2(b, a) * 180) / Math.PI;
  bar.style.background = codeOfRgb(rgbOfHue(LIGHTNESS, hue, Math.hypot(a, b)));
  // Those below 1 would leave a gap.
  bar.style.flexGrow = 100 * share;
  return bar;
}

function fillChoices() {
  const others = photos.filter((photo) => photo.id !== shownId);
  get("palette-choice").hidden = !others.length;
  const before = [...choices.options].map((option) => option.value);
  if (others.map((photo) => photo.id).join() === before.join()) return;
  choices.replaceChildren(...others.map((photo) => new Option(photo.name, photo.id)));
}

get("use-palette").addEventListener("click", () =>
  use(choices.value, choices.selectedOptions[0].text),
);
get("no-palette").addEventListener("click", async () => {
  // The button is about to vanish.
  get("stage").focus({ preventScroll: true });
  try {
    await onChange({ palette: undefined });
  } catch (error) {
    say(error.message, { bad: true });
  }
});
