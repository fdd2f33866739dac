// Losses and accuracies over the epochs: a solid line for training, a dashed one for test data.
import { ofPage } from "./colors.js";

const LEFT = 88,
  BOTTOM = 34,
  TOP = 14,
  RIGHT = 12; // pixels of the canvas for the labels

const MANY = 1000; // a range of losses that is drawn on a logarithmic scale

const short = (value) =>
  Math.abs(value) >= 1e4 || (value && Math.abs(value) < 1e-2)
    ? value.toExponential(0)
    : String(Number(value.toPrecision(3)));

/** Draw two columns of the records (epoch, train loss, test loss, train accuracy, test accuracy); NaN is left out. */
export function drawCurve(canvas, records, [train, test], limits = null) {
  const context = canvas.getContext("2d"),
    colors = ofPage();
  const { width, height } = canvas;
  context.clearRect(0, 0, width, height);
  const rows = Array.from({ length: records.length / 5 }, (_, i) => records.subarray(5 * i, 5 * i + 5));
  const values = rows.flatMap((row) => [row[train], row[test]]).filter(Number.isFinite);
  let high = limits?.[1] ?? Math.max(1e-6, ...values),
    low = limits?.[0] ?? 0;
  const smallest = Math.max(1e-12, Math.min(...values.filter((v) => v > 0)));
  const log = !limits && high / smallest > MANY;
  if (log) low = smallest;
  const scaled = log ? Math.log : (v) => v;
  const last = Math.max(1, rows.at(-1)?.[0] ?? 1);
  const x = (epoch) => LEFT + (epoch / last) * (width - LEFT - RIGHT);
  const y = (value) =>
    height -
    BOTTOM -
    ((scaled(Math.max(value, low)) - scaled(low)) / (scaled(high) - scaled(low))) * (height - BOTTOM - TOP);
  drawAxes(context, colors, { x, y, last, low, high, width, height });
  for (const [column, dash] of [
    [train, []],
    [test, [9, 6]],
  ]) {
    context.strokeStyle = colors.ink;
    context.lineWidth = 2.5;
    context.setLineDash(dash);
    context.beginPath();
    let drawing = false;
    for (const row of rows) {
      const seen = Number.isFinite(row[column]);
      if (seen) context[drawing ? "lineTo" : "moveTo"](x(row[0]), y(Math.min(row[column], high)));
      drawing = seen;
    }
    context.stroke();
  }
  context.setLineDash([]);
}

function drawAxes(context, colors, { x, y, last, low, high, width, height }) {
  context.strokeStyle = colors.line;
  context.lineWidth = 1.5;
  context.strokeRect(LEFT, TOP, width - LEFT - RIGHT, height - TOP - BOTTOM);
  context.fillStyle = colors.soft;
  context.font = "22px system-ui, sans-serif";
  context.textAlign = "right";
  context.fillText(short(high), LEFT - 8, TOP + 16);
  context.fillText(short(low), LEFT - 8, y(low));
  context.fillText(last.toLocaleString(), x(last), height - 8);
  context.textAlign = "left";
  context.fillText("0", x(0), height - 8);
}
