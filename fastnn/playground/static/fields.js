// Fields of forms: a label and a control, whose value goes to `change`.
import { t, named } from "./language.js";

/** An element with properties, attributes (those with "-" and role) and children. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children);
  return made;
}

const field = (id, label, control, stacked) =>
  element(
    "div",
    { className: stacked ? "field stacked" : "field" },
    element("label", { htmlFor: id, textContent: label }),
    control,
  );

/** A list to choose from. `prefix` names the texts of the options. */
export function choice({ id, label, options, value, prefix = "", change, stacked }) {
  const select = element("select", { id });
  for (const option of options) select.append(new Option(prefix ? named(prefix, option) : option, option));
  select.value = value;
  select.addEventListener("change", () => change(select.value));
  return field(id, label, select, stacked);
}

/** A number within the range of `spec` (fastnn/playground/choices.py, `Number`). */
export function number({ id, label, spec, value, change, stacked }) {
  const input = element("input", {
    id,
    type: "number",
    min: spec.low,
    max: spec.high,
    step: spec.whole ? 1 : "any",
    value,
    inputMode: "decimal",
    required: true,
  });
  input.title = t("range", { low: spec.low, high: spec.high });
  input.addEventListener("change", () => input.reportValidity() && change(Number(input.value)));
  return field(id, label, input, stacked);
}

/** A slider on a logarithmic scale, with its value beside it. */
export function slider({ id, label, spec, value, change }) {
  const [low, high] = [Math.log10(spec.low), Math.log10(spec.high)];
  const input = element("input", {
    id,
    type: "range",
    min: low,
    max: high,
    step: (high - low) / 200,
    value: Math.log10(value),
  });
  const shown = element("output", { htmlFor: id });
  const show = () => {
    shown.textContent = Number((10 ** input.value).toPrecision(2));
    input.setAttribute("aria-valuetext", shown.textContent);
  };
  show();
  input.addEventListener("input", () => {
    show();
    change(Number(shown.textContent));
  });
  return element("div", { className: "field" }, element("label", { htmlFor: id }, `${label} `, shown), input);
}

export const group = (title, ...fields) =>
  element("fieldset", {}, element("legend", { textContent: title }), ...fields);

/** Replace the children of an element; what has the focus keeps it, found again by its id. */
export function replaceKeepingFocus(parent, ...children) {
  const id = parent.contains(document.activeElement) ? document.activeElement.id : "";
  parent.replaceChildren(...children);
  if (id) document.getElementById(id)?.focus({ preventScroll: true });
}
