// CIE Lab (D65) and sRGB, as data/color/lab.py has them, for the color wheel.

const DELTA = 6 / 29;
const WHITE = [0.95047, 1.0, 1.08883];

const toLinear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
const fromLinear = (value) =>
  value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055;
const curve = (value) =>
  value > DELTA ** 3 ? Math.cbrt(value) : value / (3 * DELTA ** 2) + 4 / 29;
const inverse = (value) => (value > DELTA ? value ** 3 : 3 * DELTA ** 2 * (value - 4 / 29));

function linearOfLab(lightness, a, b) {
  const y = (lightness + 16) / 116;
  const [x1, y1, z1] = [inverse(y + a / 500), inverse(y), inverse(y - b / 200)].map(
    (value, index) => value * WHITE[index],
  );
  return [
    3.2404542 * x1 - 1.5371385 * y1 - 0.4985314 * z1,
    -0.969266 * x1 + 1.8760108 * y1 + 0.041556 * z1,
    0.0556434 * x1 - 0.2040259 * y1 + 1.0572252 * z1,
  ];
}

const isShown = (linear) => linear.every((value) => value >= -1e-4 && value <= 1.0001);

/** Red, green and blue in [0, 255] of a color by hue (degrees) and chroma. */
export function rgbOfHue(lightness, hue, chroma) {
  const angle = (hue * Math.PI) / 180;
  return linearOfLab(lightness, chroma * Math.cos(angle), chroma * Math.sin(angle)).map((value) =>
    Math.round(255 * fromLinear(Math.min(1, Math.max(0, value)))),
  );
}

/** `#rrggbb` of red, green and blue in [0, 255]. */
export function codeOfRgb(rgb) {
  return "#" + rgb.map((value) => value.toString(16).padStart(2, "0")).join("");
}

/** The hue in degrees and the chroma of `#rrggbb`. */
export function hueOfCode(code) {
  const [red, green, blue] = [1, 3, 5].map((start) =>
    toLinear(parseInt(code.slice(start, start + 2), 16) / 255),
  );
  const x = curve((0.4124564 * red + 0.3575761 * green + 0.1804375 * blue) / WHITE[0]);
  const y = curve(0.2126729 * red + 0.7151522 * green + 0.072175 * blue);
  const z = curve((0.0193339 * red + 0.119192 * green + 0.9503041 * blue) / WHITE[2]);
  const [a, b] = [500 * (x - y), 200 * (y - z)];
  return { hue: ((Math.atan2(b, a) * 180) / Math.PI + 360) % 360, chroma: Math.hypot(a, b) };
}

/** The largest chroma that a screen can show at each hue, from 0 to 359 degrees. */
export function largestChromas(lightness) {
  return Array.from({ length: 360 }, (_, hue) => {
    const angle = (hue * Math.PI) / 180;
    let [inside, outside] = [0, 150];
    for (let step = 0; step < 9; step++) {
      const chroma = (inside + outside) / 2;
      const linear = linearOfLab(lightness, chroma * Math.cos(angle), chroma * Math.sin(angle));
      if (isShown(linear)) inside = chroma;
      else outside = chroma;
    }
    return inside;
  });
}
