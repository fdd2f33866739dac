// The network: a column for each layer, with its settings, its units, the warped plane and how it does.
import { t } from "./language.js";
import { choice, element, number } from "./fields.js";
import { css, ofClass, ofPage, ofShare } from "./colors.js";

const MUCH = 0.4; // a share of dead units or saturated outputs that is worth a look

/** Draw the columns for settings; returns their canvases, for `drawUnits` and so on. */
export function drawLayers(box, links, { choices, settings, change }) {
  const focused = box.contains(document.activeElement) ? document.activeElement.id : "";
  const columns = settings.layers.map((layer, i) => column(i, layer, { choices, settings, change }));
  const input = end(t("input"), ["x0", "x1"]);
  const output = end(t("outputs"), []);
  box.replaceChildren(links, input.box, ...columns.map((c) => c.box), output.box);
  if (focused)
    (document.getElementById(focused) ?? document.getElementById("add-layer")).focus({ preventScroll: true });
  return { input, output, columns };
}

function end(title, names) {
  const canvases = names.map((name) => element("canvas", { width: 32, height: 32, role: "img", "aria-label": name }));
  const units = element("div", { className: "units" }, ...canvases);
  return {
    box: element("div", { className: "layer end" }, element("h3", { textContent: title }), units),
    units,
    canvases,
  };
}

function column(i, layer, { choices, settings, change }) {
  const set = (part) =>
    change({ ...settings, layers: settings.layers.map((l, j) => (j === i ? { ...l, ...part } : l)) });
  const remove = element("button", {
    type: "button",
    className: "remove",
    id: `remove-${i}`,
    textContent: "×",
    "aria-label": t("remove_layer", { number: i + 1 }),
  });
  remove.addEventListener("click", () => change({ ...settings, layers: settings.layers.filter((_, j) => j !== i) }));
  const common = { stacked: true };
  const fields = [
    number({
      ...common,
      id: `units-${i}`,
      label: t("units"),
      spec: choices.layerNumbers.units,
      value: layer.units,
      change: (units) => set({ units }),
    }),
    choice({
      ...common,
      id: `activation-${i}`,
      label: t("activation"),
      options: choices.activations,
      prefix: "activation",
      value: layer.activation,
      change: (activation) => set({ activation }),
    }),
    choice({
      ...common,
      id: `norm-${i}`,
      label: t("norm"),
      options: choices.norms,
      prefix: "norm",
      value: layer.norm,
      change: (norm) => set({ norm }),
    }),
    number({
      ...common,
      id: `dropout-${i}`,
      label: t("dropout"),
      spec: choices.layerNumbers.dropout,
      value: layer.dropout,
      change: (dropout) => set({ dropout }),
    }),
  ];
  const units = Array.from({ length: layer.units }, (_, u) =>
    element("canvas", { width: 32, height: 32, role: "img", "aria-label": t("unit", { number: u + 1 }) }),
  );
  const warp = element("canvas", {
    className: "warp",
    width: 232,
    height: 232,
    role: "img",
    "aria-label": t("warp", { number: i + 1 }),
  });
  const health = element("dl", { className: "health" });
  const box = element(
    "div",
    { className: "layer", role: "group", "aria-label": t("layer", { number: i + 1 }) },
    element("h3", {}, t("layer", { number: i + 1 }), remove),
    element("div", {}, ...fields),
    element("div", { className: "units" }, ...units),
    warp,
    health,
  );
  return { box, canvases: units, warp, health };
}

/** Fill a canvas with a field of bytes, by the colours between the least and the largest value. */
export function paintField(canvas, bytes, side, color = ofShare) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(side, side);
  for (let i = 0; i < side * side; i++) {
    const [r, g, b] = color(bytes[i] / 255);
    image.data.set([r, g, b, 255], 4 * i);
  }
  canvas.width = canvas.height = side;
  context.putImageData(image, 0, 0);
}

/** The fields of the inputs, which do not change. */
export function drawInputs(input) {
  const side = 32;
  const ramp = (of) => Uint8Array.from({ length: side * side }, (_, i) => (255 * of(i)) / (side - 1));
  paintField(
    input.canvases[0],
    ramp((i) => i % side),
    side,
  );
  paintField(
    input.canvases[1],
    ramp((i) => side - 1 - Math.floor(i / side)),
    side,
  );
}

/** What each unit makes of the plane; dead and saturated ones are marked. */
export function drawUnits(columns, { units, unit_ranges: ranges, unit_state: states }) {
  const side = units.shape[1];
  let u = 0;
  columns.forEach(({ canvases }) =>
    canvases.forEach((canvas, i) => {
      paintField(canvas, units.subarray(u * side * side, (u + 1) * side * side), side);
      canvas.classList.toggle("dead", states[u] === 1);
      canvas.classList.toggle("saturated", states[u] === 2);
      const state = ["", `, ${t("dead")}`, `, ${t("saturated")}`][states[u]];
      canvas.setAttribute("aria-label", t("unit", { number: i + 1 }) + state);
      canvas.title = `${ranges[2 * u].toPrecision(3)} … ${ranges[2 * u + 1].toPrecision(3)}${state}`;
      u++;
    }),
  );
}

/** The grid of the plane and the training points after each layer. */
export function drawWarps(columns, { warp, warp_points: points }, grid, colorOfPoint) {
  const colors = ofPage();
  columns.forEach(({ warp: canvas }, layer) => {
    const n = grid * grid,
      m = points.shape[1];
    const lines = warp.subarray(layer * n * 2, (layer + 1) * n * 2);
    const dots = points.subarray(layer * m * 2, (layer + 1) * m * 2);
    drawWarp(canvas, lines, dots, grid, colors, colorOfPoint);
  });
}

/** A function from values to canvas places, so that the points and the middle of the grid are seen. */
function scale(canvas, lines, dots) {
  const ranges = [0, 1].map((axis) => {
    let low = Infinity,
      high = -Infinity;
    for (const values of [lines, dots]) {
      for (let i = axis; i < values.length; i += 2) {
        if (Number.isFinite(values[i])) [low, high] = [Math.min(low, values[i]), Math.max(high, values[i])];
      }
    }
    const width = high - low > 1e-12 ? high - low : 1;
    return low <= high ? [low - 0.05 * width, 1.1 * width] : [0, 1];
  });
  return (x, y) => [
    ((x - ranges[0][0]) / ranges[0][1]) * canvas.width,
    (1 - (y - ranges[1][0]) / ranges[1][1]) * canvas.height,
  ];
}

function drawWarp(canvas, lines, dots, grid, colors, colorOfPoint) {
  const context = canvas.getContext("2d");
  const place = scale(canvas, lines, dots);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.strokeStyle = colors.line;
  context.lineWidth = 1;
  context.beginPath();
  for (let a = 0; a < grid; a += 2) {
    for (let b = 0; b < grid; b++) {
      for (const [index, start] of [
        [a * grid + b, b === 0],
        [b * grid + a, b === 0],
      ]) {
        const [x, y] = place(lines[2 * index], lines[2 * index + 1]);
        const from = index === a * grid + b ? index - 1 : index - grid;
        if (start || !Number.isFinite(x + y)) continue;
        context.moveTo(...place(lines[2 * from], lines[2 * from + 1]));
        context.lineTo(x, y);
      }
    }
  }
  context.stroke();
  for (let i = 0; i < dots.length / 2; i++) {
    const [x, y] = place(dots[2 * i], dots[2 * i + 1]);
    context.fillStyle = colorOfPoint(i);
    context.fillRect(x - 2.5, y - 2.5, 5, 5);
  }
}

/** The outputs' fields, in the last column. */
export function drawOutputs(output, { boundary }) {
  const [n, side] = boundary.shape;
  if (output.canvases.length !== n) {
    output.canvases = Array.from({ length: n }, () => element("canvas", { width: side, height: side, role: "img" }));
    output.units.replaceChildren(...output.canvases);
  }
  const panel = [242, 242, 242];
  output.canvases.forEach((canvas, c) => {
    const color = n === 1 ? ofShare : (share) => panel.map((v, i) => v + (ofClass(c)[i] - v) * share);
    canvas.setAttribute("aria-label", t("output_number", { number: c + 1 }));
    paintField(canvas, boundary.subarray(c * side * side, (c + 1) * side * side), side, color);
  });
}

/** Gradient norms, dead units and saturated outputs of the layers. */
export function drawHealth(columns, health) {
  const share = (value) => (value === null ? "–" : `${Math.round(100 * value)}%`);
  columns.forEach(({ health: list }, i) => {
    const { gradient, dead, saturated } = health[i];
    const rows = [
      [
        t("gradient"),
        gradient === null ? "–" : gradient && gradient < 1e-3 ? gradient.toExponential(1) : gradient.toPrecision(2),
        false,
      ],
      [t("dead"), share(dead), dead > MUCH],
      [t("saturated"), share(saturated), saturated > MUCH],
    ];
    list.replaceChildren(
      ...rows.map(([name, value, warn]) =>
        element(
          "div",
          {},
          element("dt", { textContent: name }),
          element("dd", { textContent: value, className: warn ? "warn" : "" }),
        ),
      ),
    );
  });
}

/** Lines between the units: as wide as their weights, in the colour of the sign. */
export function drawLinks(canvas, box, { input, output, columns }, weights) {
  const frame = box.getBoundingClientRect();
  const ratio = devicePixelRatio || 1;
  canvas.width = box.scrollWidth * ratio;
  canvas.height = box.scrollHeight * ratio;
  canvas.style.width = `${box.scrollWidth}px`;
  canvas.style.height = `${box.scrollHeight}px`;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  const place = (element, side) => {
    const of = element.getBoundingClientRect();
    return [(side === "left" ? of.left : of.right) - frame.left, (of.top + of.bottom) / 2 - frame.top];
  };
  const layers = [input.canvases, ...columns.map((c) => c.canvases), output.canvases];
  let at = 0;
  for (let l = 1; l < layers.length; l++) {
    const [from, to] = [layers[l - 1], layers[l]];
    const rows = l === layers.length - 1 ? (weights.length - at) / from.length : to.length;
    const part = weights.subarray(at, at + rows * from.length);
    at += rows * from.length;
    const largest = part.reduce((a, w) => (Number.isFinite(w) ? Math.max(a, Math.abs(w)) : a), 1e-12);
    to.forEach((unit, j) =>
      from.forEach((source, k) => {
        const w = rows === to.length ? part[j * from.length + k] : (2 * j - 1) * part[k]; // one output, two classes
        if (!Number.isFinite(w)) return;
        const strength = Math.abs(w) / largest;
        const [x0, y0] = place(source, "right"),
          [x1, y1] = place(unit, "left");
        context.strokeStyle = css(ofShare(w > 0 ? 1 : 0), 0.1 + 0.6 * strength);
        context.lineWidth = 0.5 + 3 * strength;
        context.beginPath();
        context.moveTo(x0, y0);
        context.bezierCurveTo((x0 + x1) / 2, y0, (x0 + x1) / 2, y1, x1, y1);
        context.stroke();
      }),
    );
  }
}
