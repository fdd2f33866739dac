// Colours that colour-blind people tell apart (Okabe and Ito), and those of the page as it is now, light or dark.

export const CLASSES = [
  [0, 114, 178],
  [230, 159, 0],
  [0, 158, 115],
  [204, 121, 167],
  [213, 94, 0],
  [86, 180, 233],
  [170, 160, 20],
  [120, 120, 130],
];
const LOW = [230, 159, 0],
  MIDDLE = [242, 242, 242],
  HIGH = [0, 114, 178];

/** The colour [r, g, b] of a class. */
export const ofClass = (c) => CLASSES[c % CLASSES.length];

/** The colour [r, g, b] of a share of 0 to 1 between the least and the largest value. */
export function ofShare(share) {
  const s = Math.min(1, Math.max(0, share)) * 2;
  const [from, to, t] = s < 1 ? [LOW, MIDDLE, s] : [MIDDLE, HIGH, s - 1];
  return from.map((v, i) => v + (to[i] - v) * t);
}

export const css = (rgb, alpha = 1) => `rgb(${rgb.map(Math.round).join(" ")} / ${alpha})`;

/** The colours of style.css: {page, panel, ink, soft, line, accent, bad}. */
export function ofPage() {
  const style = getComputedStyle(document.documentElement);
  const names = ["page", "panel", "ink", "soft", "line", "accent", "bad"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}
