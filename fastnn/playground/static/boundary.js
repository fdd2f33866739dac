// The picture of the outputs: probabilities of classes, or the predicted number, with the points and a probe.
import { t } from "./language.js";
import { element } from "./fields.js";
import { css, ofClass, ofPage, ofShare } from "./colors.js";

const PAPER = [255, 255, 255];
const RADIUS = 5;

/** The colour of the target of a point. */
export const colorOfTarget = (points, target) =>
  points.task === "classification" ? ofClass(target) : ofShare((target + 2) / 4);

const buffer = document.createElement("canvas");

/** Draw the field, then the points, then the probe {x, y}, in shares of the side. */
export function drawBoundary(canvas, points, frame, { showTest, probe }) {
  const { boundary } = frame.arrays;
  const [n, side] = boundary.shape;
  const context = canvas.getContext("2d");
  buffer.width = buffer.height = side;
  const image = buffer.getContext("2d").createImageData(side, side);
  for (let i = 0; i < side * side; i++) image.data.set([...fieldColor(points, boundary, n, side, i), 255], 4 * i);
  buffer.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingEnabled = true;
  context.drawImage(buffer, 0, 0, canvas.width, canvas.height);
  drawPoints(context, canvas, points, frame.extent, showTest);
  if (probe) drawProbe(context, canvas, probe);
}

function fieldColor(points, boundary, n, side, i) {
  if (points.task !== "classification") return ofShare(boundary[i] / 255).map((v) => v + (255 - v) * 0.15);
  const mixed = [0, 0, 0];
  for (let c = 0; c < n; c++) {
    const share = boundary[c * side * side + i] / 255,
      color = ofClass(c);
    for (let k = 0; k < 3; k++) mixed[k] += share * (PAPER[k] + (color[k] - PAPER[k]) * 0.55);
  }
  return mixed;
}

function drawPoints(context, canvas, points, extent, showTest) {
  const { features, targets } = points.arrays;
  const count = showTest ? targets.length : points.train;
  const scale = canvas.width / 576;
  for (let i = 0; i < count; i++) {
    const x = ((features[2 * i] / extent + 1) / 2) * canvas.width,
      y = ((1 - features[2 * i + 1] / extent) / 2) * canvas.height;
    context.fillStyle = css(colorOfTarget(points, targets[i]));
    context.strokeStyle = i >= points.train ? "#000" : points.task === "classification" ? "#fff" : "#777";
    context.lineWidth = 1.5 * scale;
    context.beginPath();
    shape(context, x, y, RADIUS * scale, points.task === "classification" ? targets[i] % 4 : 0);
    context.fill();
    context.stroke();
  }
}

/** A circle, a square, a triangle or a diamond: classes differ in more than colour. */
export function shape(context, x, y, r, kind) {
  if (kind === 1) context.rect(x - 0.85 * r, y - 0.85 * r, 1.7 * r, 1.7 * r);
  else if (kind === 2)
    polygon(context, [
      [x, y - 1.1 * r],
      [x + r, y + 0.8 * r],
      [x - r, y + 0.8 * r],
    ]);
  else if (kind === 3)
    polygon(context, [
      [x, y - 1.2 * r],
      [x + 1.2 * r, y],
      [x, y + 1.2 * r],
      [x - 1.2 * r, y],
    ]);
  else context.arc(x, y, r, 0, 2 * Math.PI);
}

function polygon(context, corners) {
  corners.forEach((corner, i) => (i ? context.lineTo(...corner) : context.moveTo(...corner)));
  context.closePath();
}

function drawProbe(context, canvas, { x, y }) {
  for (const [color, width] of [
    ["#fff", 4],
    ["#000", 1.5],
  ]) {
    context.strokeStyle = color;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(x * canvas.width, 0);
    context.lineTo(x * canvas.width, canvas.height);
    context.moveTo(0, y * canvas.height);
    context.lineTo(canvas.width, y * canvas.height);
    context.stroke();
  }
}

/** Call `moved({x, y})` when the pointer or the arrow keys move the probe. */
export function watchProbe(canvas, current, moved) {
  const clip = (v) => Math.min(1, Math.max(0, v));
  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    moved({ x: clip((event.clientX - box.left) / box.width), y: clip((event.clientY - box.top) / box.height) });
  });
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.addEventListener("keydown", (event) => {
    if (!(event.key in steps)) return;
    event.preventDefault();
    const [dx, dy] = steps[event.key],
      { x, y } = current() ?? { x: 0.5, y: 0.5 };
    moved({ x: clip(x + dx / 50), y: clip(y + dy / 50) });
  });
}

/** Bars of the probabilities at the probe, or the predicted number. */
export function drawBars(box, points, frame, probe) {
  const { x, y } = probe ?? { x: 0.5, y: 0.5 };
  const { boundary } = frame.arrays,
    [n, side] = boundary.shape;
  const at = Math.min(side - 1, Math.floor(y * side)) * side + Math.min(side - 1, Math.floor(x * side));
  const values = Array.from({ length: n }, (_, c) => boundary[c * side * side + at] / 255);
  const where = [(2 * x - 1) * frame.extent, (1 - 2 * y) * frame.extent].map((v) => v.toFixed(2)).join(", ");
  const rows = values.map((value, c) => {
    const fill = element("span");
    fill.style.width = `${100 * value}%`;
    fill.style.background = css(points.task === "classification" ? ofClass(c) : ofShare(value));
    const text = points.task === "classification" ? `${Math.round(100 * value)}%` : (4 * value - 2).toFixed(2);
    const name = points.task === "classification" ? points.classes[c] : points.columns[2];
    return element(
      "div",
      { className: "bar-of" },
      element("span", { textContent: name }),
      element("span", { className: "track", "aria-hidden": "true" }, fill),
      element("span", { textContent: text }),
    );
  });
  const entropy =
    frame.entropy == null
      ? []
      : [element("p", { className: "small", textContent: t("entropy", { value: frame.entropy.toFixed(3) }) })];
  box.replaceChildren(
    element("p", { className: "small", textContent: t("probe_at", { where }) }),
    ...rows,
    ...entropy,
  );
}

/** The names of classes with their colours and shapes. */
export function drawClasses(list, points) {
  if (points.task !== "classification") return list.replaceChildren();
  list.replaceChildren(
    ...points.classes.map((name, c) => {
      const canvas = element("canvas", { width: 28, height: 28, "aria-hidden": "true" });
      const context = canvas.getContext("2d");
      context.fillStyle = css(ofClass(c));
      context.beginPath();
      shape(context, 14, 14, 11, c % 4);
      context.fill();
      return element("li", {}, canvas, t("class", { name }));
    }),
  );
}

/** What a screen reader says of the picture. */
export const describe = (points, { scores, epoch }) =>
  t(scores.test.accuracy == null ? "picture_regression" : "picture", {
    epoch,
    loss: scores.test.loss?.toPrecision(3) ?? "–",
    accuracy: `${Math.round(100 * (scores.test.accuracy ?? 0))}%`,
    classes: points.classes.length,
  });
