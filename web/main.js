// The page: takes files, follows how far they are, and shows one of them large.

import * as api from "./api.js";
import * as editor from "./editor.js";
import { filesOf } from "./files.js";
import { say, tell } from "./messages.js";
import * as palette from "./palette.js";
import * as strip from "./strip.js";

const get = (id) => document.getElementById(id);
const HINTS = ".hints.json";
const FORMATS = { jpg: "JPEG", png: "PNG", tif: "TIFF", webp: "WebP", bmp: "BMP", heic: "HEIC" };

// At a time; the server colors one after another anyway.
const UPLOADS = 3;
const PAUSE = 700; // milliseconds between two questions how far photographs are
const THUMBNAIL_PAUSE = 1500;

let photos = [];
let limits = { max_upload: Infinity, formats: [], format: null };
let isFollowing = false;
let changes = 0; // of which photographs there are
const seenDropped = new Set();
const waiting = [];
let uploading = 0;

// Uploads

async function take(files) {
  const found = await files;
  for (const file of found.filter((file) => !file.name.endsWith(HINTS))) {
    if (file.size > limits.max_upload) {
      say(`${file.name} is larger than ${limits.max_upload / 1e6} MB`, { bad: true });
    } else waiting.push(file);
  }
  while (uploading < UPLOADS && waiting.length) uploadNext();
  for (const file of found.filter((file) => file.name.endsWith(HINTS))) await applyHints(file);
  if (!found.length) say("There were no files in what was dropped.", { bad: true });
}

async function uploadNext() {
  const file = waiting.shift();
  const key = Symbol(file.name);
  uploading += 1;
  try {
    const added = await api.upload(file, (share) => strip.showUpload(key, file.name, share));
    strip.drop(key);
    changes += 1;
    photos.push(added);
    show();
    if (!editor.currentId()) open(added);
    follow();
  } catch (error) {
    strip.drop(key);
    say(`${file.name}: ${error.message}`, { bad: true });
  } finally {
    uploading -= 1;
    if (waiting.length) uploadNext();
  }
}

async function applyHints(file) {
  const name = file.name.slice(0, -HINTS.length);
  const own = photos.find(
    (photo) => photo.name === name || photo.name.replace(/\.[^.]*$/, "") === name,
  );
  if (!own) {
    say(`${file.name}: drop the photograph ${name} first`, { bad: true });
    return;
  }
  try {
    await api.save(own.id, JSON.parse(await file.text()));
    await refresh();
    editor.forget(own.id);
    await open(photos.find((photo) => photo.id === own.id));
  } catch (error) {
    say(`${file.name}: ${error.message}`, { bad: true });
  }
}

// Photographs

async function refresh() {
  let before, found, dropped;
  do {
    // A list from before a change would make photographs vanish, or come back.
    before = changes;
    ({ photos: found, dropped } = await api.photos());
  } while (before !== changes);
  for (const old of photos) {
    if (!found.some((photo) => photo.id === old.id)) {
      strip.drop(old.id);
      editor.forget(old.id);
    }
  }
  for (const { id, name } of dropped) {
    if (!seenDropped.has(id)) say(`${name} was dropped to make room for newer photographs`);
    seenDropped.add(id);
  }
  for (const photo of found) {
    const old = photos.find((each) => each.id === photo.id);
    if (photo.state === "failed" && old?.state !== "failed") {
      say(`${photo.name} cannot be colored: ${photo.error}`, { bad: true });
    }
    if (photo.state === "ready" && old && old.state !== "ready") tell(`${photo.name} is colored`);
  }
  photos = found;
  const current = photos.find((photo) => photo.id === editor.currentId());
  if (current) editor.update(current);
  else openAnother();
  show();
}

async function follow() {
  if (isFollowing) return;
  isFollowing = true;
  try {
    do {
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
      await refresh();
    } while (photos.some((photo) => photo.state === "waiting" || photo.state === "coloring"));
  } catch (error) {
    say(error.message, { bad: true });
  } finally {
    isFollowing = false;
  }
}

function show() {
  get("archive").hidden = photos.length === 0;
  get("welcome").hidden = photos.length > 0;
  palette.offer(photos);
  for (const photo of photos) {
    strip.showPhoto(photo, photo.id === editor.currentId(), () => open(photo));
  }
}

async function open(photo) {
  if (photo.state === "failed") {
    say(`${photo.name} cannot be colored: ${photo.error}`, { bad: true });
    if (!editor.currentId()) await removePhoto(photo);
    return;
  }
  await editor.open(photo, show);
}

function openAnother() {
  editor.close();
  const next = photos.find((photo) => photo.state === "ready");
  if (next) open(next);
}

async function removePhoto(photo) {
  try {
    await api.remove(photo.id);
    changes += 1;
    await refresh();
  } catch (error) {
    say(error.message, { bad: true });
  }
}

async function download(photo, format) {
  get("download").disabled = true;
  get("download").textContent = "Coloring at full size ...";
  try {
    const { blob, name } = await api.result(photo.id, format);
    const address = URL.createObjectURL(blob);
    const link = document.createElement("a");
    link.href = address;
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  } catch (error) {
    say(`${photo.name}: ${error.message}`, { bad: true });
  } finally {
    get("download").disabled = false;
    get("download").textContent = "Download";
  }
}

function fillFormats() {
  // What was asked for on the command line stands for the format of the photograph.
  if (limits.format) get("format").replaceChildren();
  for (const format of limits.formats) {
    get("format").append(new Option(FORMATS[format], format, false, format === limits.format));
  }
}

// Ways in

get("add").addEventListener("click", () => get("files").click());
get("add-folder").addEventListener("click", () => get("folder").click());
for (const id of ["files", "folder"]) {
  get(id).addEventListener("change", () => {
    take(Promise.resolve([...get(id).files].filter((file) => !file.name.startsWith("."))));
    get(id).value = "";
  });
}
let depth = 0;
const isFiles = (event) => event.dataTransfer?.types.includes("Files");
document.addEventListener("dragenter", (event) => {
  if (!isFiles(event)) return;
  depth += 1;
  get("drop-palette").hidden = !palette.isOffered();
  get("drop").hidden = false;
});
document.addEventListener("dragleave", (event) => {
  if (isFiles(event) && --depth <= 0) get("drop").hidden = true;
});
const isForPalette = (event) => event.target === get("drop-palette");
document.addEventListener("dragover", (event) => {
  if (!isFiles(event)) return;
  event.preventDefault();
  get("drop-palette").classList.toggle("over", isForPalette(event));
});
document.addEventListener("drop", (event) => {
  if (!isFiles(event)) return;
  event.preventDefault();
  depth = 0;
  get("drop").hidden = true;
  const files = filesOf(event.dataTransfer);
  if (isForPalette(event)) palette.takeFrom(files).then(refresh);
  else take(files);
});
document.addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files ?? [])];
  if (files.length) take(Promise.resolve(files));
});
get("download").addEventListener("click", () => {
  const photo = photos.find((each) => each.id === editor.currentId());
  if (photo) download(photo, get("format").value);
});
get("remove").addEventListener("click", () => {
  const photo = photos.find((each) => each.id === editor.currentId());
  if (photo) removePhoto(photo);
});
let later;
editor.onSaved((saved) => {
  photos = photos.map((photo) => (photo.id === saved.id ? saved : photo));
  // Thumbnails would hold up the preview while a person tries colors.
  clearTimeout(later);
  later = setTimeout(show, THUMBNAIL_PAUSE);
});

// The token is in a cookie now, and need not stay in the address.
if (location.search) history.replaceState(null, "", location.pathname);
try {
  limits = await api.health();
  fillFormats();
  await refresh();
  if (photos.length) follow();
} catch (error) {
  say(error.message, { bad: true });
}
