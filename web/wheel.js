// A wheel of the colors that a screen can show at one lightness: hue around, chroma outward.

import { codeOfRgb, hueOfCode, largestChromas, rgbOfHue } from "./lab.js";

const canvas = document.getElementById("wheel");
const hueSlider = document.getElementById("hue");
const chromaSlider = document.getElementById("chroma");
const codeField = document.getElementById("code");

let lightness = 50;
let chromas = largestChromas(lightness);
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
      disc.data.set([...rgbOfHue(lightness, hue, share * chromas[hue]), 255], 4 * (row * side + column));
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
  paint();
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
    paintDisc();
  }
  const { hue, chroma } = hueOfCode(code);
  const largest = chromas[Math.round(hue) % 360];
  chosen = { hue, share: largest > 1 ? Math.min(1, chroma / largest) : 0 };
  fill(code);
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
