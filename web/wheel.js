// A wheel of the colors that a screen can show at one lightness: hue around, chroma outward. Where
// a place is so dark or so light that its colors look alike, the wheel is painted at a lightness
// at which they do not, and the chosen color is shown beside as it will look.

import { codeOfRgb, hueOfCode, largestChromas, rgbOfHue } from "./lab.js";

const canvas = document.getElementById("wheel");
const hueSlider = document.getElementById("hue");
const chromaSlider = document.getElementById("chroma");
const codeField = document.getElementById("code");
const swatch = document.getElementById("swatch");
const looks = document.getElementById("looks");

const DARKEST = 40; // that the wheel is painted at
const LIGHTEST = 80;
const [BLACK, WHITE] = [4, 98]; // beyond, hardly any color can be seen

let lightness = 50; // of the place
let chromas = largestChromas(lightness);
let paintedLightness = lightness;
let paintedChromas = chromas;
let disc = null;
let chosen = { hue: 0, share: 0 };
let onChange = () => {};

const radius = canvas.width / 2;

function paintDisc() {
  const side = canvas.width;
  disc = new ImageData(side, side);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const [x, y] = [column + 0.5 - radius, radius - row - 0.5];
      const share = Math.hypot(x, y) / (radius - 4);
      if (share > 1) continue;
      const hue = Math.floor((Math.atan2(y, x) * 180) / Math.PI + 360) % 360;
      const rgb = rgbOfHue(paintedLightness, hue, share * paintedChromas[hue]);
      disc.data.set([...rgb, 255], 4 * (row * side + column));
    }
  }
}

function paint() {
  const context = canvas.getContext("2d");
  context.putImageData(disc, 0, 0);
  const angle = (chosen.hue * Math.PI) / 180;
  const distance = chosen.share * (radius - 4);
  context.beginPath();
  context.arc(radius + distance * Math.cos(angle), radius - distance * Math.sin(angle), 6, 0, 7);
  for (const [width, color] of [[4, "#000"], [2, "#fff"]]) {
    context.lineWidth = width;
    context.strokeStyle = color;
    context.stroke();
  }
}

const codeOfChosen = () =>
  codeOfRgb(rgbOfHue(lightness, chosen.hue, chosen.share * chromas[Math.round(chosen.hue) % 360]));

function fill(code) {
  hueSlider.value = chosen.hue;
  chromaSlider.value = 100 * chosen.share;
  codeField.value = code;
  // Of a code only hue and chroma count.
  swatch.style.background = codeOfChosen();
  looks.textContent = inWords();
  paint();
}

function inWords() {
  if (lightness < BLACK) return "It is black here: hardly any color will be seen";
  if (lightness > WHITE) return "It is white here: hardly any color will be seen";
  if (lightness < DARKEST - 8) return "It is dark here, and will look like this";
  return "It will look like this";
}

function choose(hue, share, isDone) {
  chosen = { hue, share: Math.min(1, share) };
  const code = codeOfChosen();
  fill(code);
  onChange(code, isDone);
}

function chooseAt(event, isDone) {
  const box = canvas.getBoundingClientRect();
  const scale = canvas.width / box.width;
  const x = (event.clientX - box.left) * scale - radius;
  const y = radius - (event.clientY - box.top) * scale;
  const hue = ((Math.atan2(y, x) * 180) / Math.PI + 360) % 360;
  choose(hue, Math.hypot(x, y) / (radius - 4), isDone);
}

/** Shows a color at a lightness. */
export function show(code, newLightness = lightness) {
  if (newLightness !== lightness || !disc) {
    lightness = newLightness;
    chromas = largestChromas(lightness);
    paintedLightness = Math.min(LIGHTEST, Math.max(DARKEST, lightness));
    paintedChromas = largestChromas(paintedLightness);
    paintDisc();
  }
  chosen = placeOnWheel(code);
  fill(code);
}

function placeOnWheel(code) {
  const { hue, chroma } = hueOfCode(code);
  const largest = chromas[Math.round(hue) % 360];
  return { hue, share: largest > 1 ? Math.min(1, chroma / largest) : 0 };
}

/** The color of the wheel where a color is chosen. */
export function visible(code) {
  const { hue, share } = placeOnWheel(code);
  return codeOfRgb(rgbOfHue(paintedLightness, hue, share * paintedChromas[Math.round(hue) % 360]));
}

/** Calls a function of the color, and whether the choice is complete, whenever one is chosen. */
export function onChoice(listener) {
  onChange = listener;
}

let isDragging = false;
canvas.addEventListener("pointerdown", (event) => {
  if (canvas.closest("fieldset").disabled) return;
  isDragging = true;
  canvas.setPointerCapture(event.pointerId);
  chooseAt(event, false);
});
canvas.addEventListener("pointermove", (event) => isDragging && chooseAt(event, false));
canvas.addEventListener("pointerup", (event) => {
  if (isDragging) chooseAt(event, true);
  isDragging = false;
});
for (const type of ["input", "change"]) {
  const listener = () =>
    choose(Number(hueSlider.value), Number(chromaSlider.value) / 100, type === "change");
  hueSlider.addEventListener(type, listener);
  chromaSlider.addEventListener(type, listener);
}
codeField.addEventListener("change", () => {
  const code = codeField.value.trim().toLowerCase();
  const isCode = /^#?[0-9a-f]{6}$/.test(code);
  codeField.setAttribute("aria-invalid", String(!isCode));
  if (!isCode) return;
  show(code.startsWith("#") ? code : `#${code}`);
  onChange(codeField.value, true);
});
show("#777777", 50);
