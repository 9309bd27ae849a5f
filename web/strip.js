// The strip of thumbnails: what is being uploaded, what waits, and what is ready.

import { thumbnailAddress } from "./api.js";

const list = document.getElementById("strip");
const items = new Map();

function item(key) {
  let found = items.get(key);
  if (found) return found;
  const entry = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  const image = document.createElement("div");
  image.className = "blank";
  const title = document.createElement("span");
  title.className = "title";
  button.append(image, title);
  entry.append(button);
  list.append(entry);
  found = { entry, button, image, title, shown: "" };
  items.set(key, found);
  return found;
}

function stateInWords(photo) {
  if (photo.state === "failed") return "cannot be colored";
  if (photo.state === "coloring") return "coloring";
  return photo.place > 1 ? `${photo.place - 1} before it` : "waiting";
}

/** Shows how much of a file has arrived, from 0 to 1. */
export function showUpload(key, name, share) {
  const { button, image, title } = item(key);
  button.disabled = true;
  title.textContent = name;
  image.textContent = share < 1 ? `${Math.round(100 * share)} %` : "reading";
}

/** Takes an entry away. */
export function drop(key) {
  items.get(key)?.entry.remove();
  items.delete(key);
}

/** Shows a photograph, and calls a function when it is chosen. */
export function showPhoto(photo, isCurrent, onChoice) {
  const found = item(photo.id);
  const { button, title } = found;
  button.onclick = onChoice;
  button.setAttribute("aria-current", String(isCurrent));
  title.textContent = photo.name;
  const address = thumbnailAddress(photo);
  const shown = photo.state === "ready" ? address : stateInWords(photo);
  if (shown === found.shown) return;
  found.shown = shown;
  if (photo.state === "ready") {
    const image = new Image();
    image.alt = "";
    // The old one stays until the new one is there.
    image.onload = () => found.shown === shown && replace(found, image);
    image.src = address;
  } else {
    const image = document.createElement("div");
    image.className = photo.state === "failed" ? "blank failed" : "blank";
    image.textContent = shown;
    replace(found, image);
  }
}

function replace(found, image) {
  found.image.replaceWith(image);
  found.image = image;
}
