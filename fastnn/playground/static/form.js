// The settings beside the layers: data, initial values, loss, optimizer, schedule, penalties.
import { t } from "./language.js";
import { choice, element, group, number, replaceKeepingFocus } from "./fields.js";

const MAX_BYTES = 200000; // fastnn/playground/table.py

/** Draw the form for settings; `change(settings)` is called with new ones, `upload(text)` with a file. */
export function drawForm(form, { choices, settings, change, upload, complain }) {
  const set = (part) => change({ ...settings, ...part });
  replaceKeepingFocus(
    form,
    dataGroup({ choices, settings, change, upload, complain }),
    trainingGroup(choices, settings, set),
    optimizerGroup(choices, settings, set),
    scheduleGroup(choices, settings, set),
    penaltyGroup(choices, settings, set),
    element("p", { className: "small", textContent: t("what_restarts") }),
  );
}

/** The task and the number of classes of data settings. */
export function taskOf(choices, data) {
  if (data.kind === "own") {
    const labels = new Set((data.table?.rows ?? []).map((row) => row[2]));
    const classes = data.table?.rows.some((row) => typeof row[2] === "string");
    return { task: classes ? "classification" : "regression", classes: classes ? labels.size : 1 };
  }
  const {
    task,
    classes: [low, high],
  } = choices.data[data.kind];
  return { task, classes: Math.min(Math.max(data.classes, low), high) };
}

/** The names of losses that go with data. */
export function lossesFor(choices, data) {
  const { task, classes } = taskOf(choices, data);
  return Object.keys(choices.losses).filter(
    (name) => choices.losses[name] === task && (name !== choices.oneOutput || classes === 2),
  );
}

function dataGroup({ choices, settings, change, upload, complain }) {
  const { data } = settings;
  const set = (part) => {
    const next = { ...data, ...part };
    const fitting = lossesFor(choices, next);
    change({ ...settings, data: next, loss: fitting.includes(settings.loss) ? settings.loss : fitting[0] });
  };
  const own = data.kind === "own";
  const names = ["points", "noise", "classes", "test_share"].filter((name) => {
    if (name === "classes") return choices.data[data.kind].classes[1] > 2 && !own;
    return !own || name === "test_share";
  });
  const kinds = Object.keys(choices.data).filter((kind) => kind !== "own" || data.table);
  return group(
    t("data"),
    choice({
      id: "data-kind",
      label: t("data_kind"),
      options: kinds,
      prefix: "data",
      value: data.kind,
      change: (kind) => set({ kind }),
    }),
    ...names.map((name) =>
      number({
        id: `data-${name}`,
        label: t(name),
        spec: choices.dataNumbers[name],
        value: data[name],
        change: (value) => set({ [name]: value }),
      }),
    ),
    fileField(upload, complain),
    ...(own
      ? [
          element("p", {
            className: "small",
            textContent: t("own_columns", { columns: data.table.columns.join(", "), rows: data.table.rows.length }),
          }),
        ]
      : []),
  );
}

function fileField(upload, complain) {
  const input = element("input", {
    id: "file",
    type: "file",
    accept: ".csv,.tsv,.txt,text/csv",
    "aria-describedby": "file-note",
  });
  input.addEventListener("change", async () => {
    const [file] = input.files;
    input.value = "";
    if (!file) return;
    if (file.size > MAX_BYTES) complain("csv_large", { limit: MAX_BYTES, what: "bytes" });
    else upload(await file.text());
  });
  return element(
    "div",
    { className: "file" },
    input,
    element("label", { htmlFor: "file", className: "button", textContent: t("choose_file") }),
    element("p", { className: "small", id: "file-note", textContent: t("file") }),
  );
}

function trainingGroup(choices, settings, set) {
  return group(
    t("training"),
    choice({
      id: "loss",
      label: t("loss"),
      options: lossesFor(choices, settings.data),
      stacked: true,
      prefix: "loss",
      value: settings.loss,
      change: (loss) => set({ loss }),
    }),
    number({
      id: "batch_size",
      label: t("batch_size"),
      spec: choices.numbers.batch_size,
      value: settings.batch_size,
      change: (batch_size) => set({ batch_size }),
    }),
    choice({
      id: "init",
      label: t("init"),
      options: choices.inits,
      stacked: true,
      prefix: "init",
      value: settings.init,
      change: (init) => set({ init }),
    }),
    number({
      id: "seed",
      label: t("seed"),
      spec: choices.numbers.seed,
      value: settings.seed,
      change: (seed) => set({ seed }),
    }),
  );
}

/** A kind and its numbers: an optimizer or a schedule. */
function kindGroup(title, name, among, prefix, settings, set) {
  const { kind, numbers } = settings[name];
  const defaults = (of) => Object.fromEntries(Object.entries(among[of]).map(([key, spec]) => [key, spec.default]));
  return group(
    title,
    choice({
      id: `${name}-kind`,
      stacked: true,
      label: t("kind"),
      options: Object.keys(among),
      prefix,
      value: kind,
      change: (to) => set({ [name]: { kind: to, numbers: defaults(to) } }),
    }),
    ...Object.entries(among[kind]).map(([key, spec]) =>
      number({
        id: `${name}-${key}`,
        label: t(`number_${key}`),
        spec,
        value: numbers[key],
        change: (value) => set({ [name]: { kind, numbers: { ...numbers, [key]: value } } }),
      }),
    ),
  );
}

const optimizerGroup = (choices, settings, set) =>
  kindGroup(t("optimizer"), "optimizer", choices.optimizers, "", settings, set);

const scheduleGroup = (choices, settings, set) =>
  kindGroup(t("schedule"), "schedule", choices.schedules, "schedule", settings, set);

const penaltyGroup = (choices, settings, set) =>
  group(
    t("penalties"),
    ...["l1", "l2"].map((name) =>
      number({
        id: name,
        label: t(name),
        spec: choices.numbers[name],
        value: settings[name],
        change: (value) => set({ [name]: value }),
      }),
    ),
  );
