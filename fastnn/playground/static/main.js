// The page: what the server says is drawn, what is set is sent.
import { connect } from "./wire.js";
import { decode, encode } from "./link.js";
import { choose, language, named, t, translate } from "./language.js";
import { drawForm } from "./form.js";
import { slider } from "./fields.js";
import { colorOfTarget, describe, drawBars, drawBoundary, drawClasses, watchProbe } from "./boundary.js";
import { css } from "./colors.js";
import { drawCurve } from "./curves.js";
import { drawHealth, drawInputs, drawLayers, drawLinks, drawOutputs, drawUnits, drawWarps } from "./layers.js";
import { copy, save, savePicture } from "./take.js";

const SPEEDS = [0, 1, 5, 20, 100, 1000];
const $ = (id) => document.getElementById(id);
const state = {
  choices: null,
  presets: {},
  settings: null,
  points: null,
  frame: null,
  layers: null,
  playing: false,
  probe: null,
  showTest: false,
  speed: 0,
  kept: null,
  pace: { time: 0, updates: 0 },
  preset: "",
  file: null,
};

// -- to the server --------------------------------------------------------------------------------------------------

const send = connect(receive, (connected) => {
  if (!connected) setPlaying(false);
  say(connected ? "" : "disconnected");
});

function change(settings) {
  state.preset = "";
  $("preset").value = "";
  $("preset-note").textContent = "";
  state.settings = settings;
  send({ type: "settings", settings });
  drawSettings();
}

// -- from the server ------------------------------------------------------------------------------------------------

const RECEIVERS = {
  hello({ choices, presets, onnx }) {
    Object.assign(state, { choices, presets });
    document.querySelector("[data-export=onnx]").disabled = !onnx;
    const wanted = state.settings ?? fromLink();
    if (wanted) send({ type: "settings", settings: wanted });
    drawChoices();
  },
  settings({ settings, began }) {
    state.settings = settings;
    const coded = encode(settings);
    history.replaceState(null, "", coded || location.pathname);
    $("link").value = coded ? location.href : t("link_too_long");
    if (began && state.frame) {
      // not in the greeting, when a broken link was just spoken of
      hush();
      $("code-box").hidden = true;
      state.frame = null;
    }
    drawSettings();
  },
  points(message) {
    state.points = message;
    drawClasses($("classes"), message);
    const classes = message.task === "classification";
    for (const id of ["accuracy-heading", "accuracy-curve", "accuracy-row", "temperature"]) $(id).hidden = !classes;
  },
  frame(message) {
    const first = state.frame === null;
    state.frame = message;
    requestAnimationFrame(() => {
      if (state.frame === message) draw();
      send({ type: "drawn" });
    });
    if (first || !state.playing) describeNow();
  },
  playing: ({ playing }) => setPlaying(playing),
  file: showFile,
  error({ code, values }) {
    complain(code, values);
    if (code === "exploded" || code === "finished") setPlaying(false);
  },
};

function receive(message) {
  RECEIVERS[message.type]?.(message);
}

function fromLink() {
  const found = decode(location.hash);
  if (found === undefined) complain("broken_link");
  return found ?? null;
}

// -- what is said ---------------------------------------------------------------------------------------------------

const say = (key, values) => {
  $("status").textContent = key ? t(key, values) : "";
};

function complain(code, values = {}) {
  $("alert").hidden = false;
  $("alert").textContent = t(`error_${code}`, values);
}

const hush = () => {
  $("alert").hidden = true;
};

function describeNow() {
  if (!state.points || !state.frame) return;
  const text = describe(state.points, state.frame);
  $("boundary").setAttribute("aria-label", text);
  for (const [id, key] of [
    ["loss-curve", "loss_curve"],
    ["accuracy-curve", "accuracy_curve"],
  ])
    $(id).setAttribute("aria-label", t(key));
  if (!state.playing) $("status").textContent = state.frame.epoch ? text : "";
}

// -- drawing --------------------------------------------------------------------------------------------------------

function drawChoices() {
  const select = $("preset");
  select.replaceChildren(
    new Option(t("preset_none"), ""),
    ...Object.keys(state.presets).map((name) => new Option(named("preset", name), name)),
  );
  select.value = state.preset;
  $("preset-note").textContent = state.preset ? t(`preset_note_${state.preset}`) : "";
  $("speed").replaceChildren(
    ...SPEEDS.map((speed) => new Option(speed ? t("epochs_a_second", { speed }) : t("speed_most"), speed)),
  );
  $("speed").value = state.speed;
}

function drawSettings() {
  if (!state.choices || !state.settings) return;
  const { choices, settings } = state;
  drawForm($("settings"), {
    choices,
    settings,
    change,
    upload: (text) => {
      hush();
      send({ type: "csv", text });
    },
    complain,
  });
  const shape = JSON.stringify([settings.layers, language()]);
  if (state.kept !== shape) {
    state.kept = shape;
    state.layers = drawLayers($("layers"), $("links"), { choices, settings, change });
    drawInputs(state.layers.input);
  }
  $("add-layer").disabled = settings.layers.length >= choices.maxLayers;
  drawTemperature();
  if (state.frame) draw();
}

function drawTemperature() {
  const { choices, settings } = state;
  const kept = `${language()} ${settings.temperature}`;
  if ($("temperature").contains(document.activeElement) || $("temperature").dataset.kept === kept) return;
  $("temperature").dataset.kept = kept;
  $("temperature").replaceChildren(
    slider({
      id: "temperature-input",
      label: t("temperature"),
      spec: choices.numbers.temperature,
      value: settings.temperature,
      change: (temperature) => change({ ...state.settings, temperature }),
    }),
  );
}

function draw() {
  const { frame, points, layers } = state;
  if (!frame || !points || !layers) return;
  const fits = frame.arrays.unit_state.length === layers.columns.reduce((n, { canvases }) => n + canvases.length, 0);
  drawBoundary($("boundary"), points, frame, state);
  drawBars($("probe"), points, frame, state.probe);
  drawCurve($("loss-curve"), frame.arrays.curves, [1, 2]);
  if (points.task === "classification") drawCurve($("accuracy-curve"), frame.arrays.curves, [3, 4], [0, 1]);
  if (fits) {
    drawUnits(layers.columns, frame.arrays);
    drawOutputs(layers.output, frame.arrays);
    drawWarps(layers.columns, frame.arrays, frame.grid, (i) => css(colorOfTarget(points, points.arrays.targets[i])));
    drawHealth(layers.columns, frame.health);
    drawLinks($("links"), $("layers"), layers, frame.arrays.weights);
  }
  drawFacts(frame);
}

function drawFacts({ epoch, step, lr, hash, scores, exploded }) {
  const tell = (value, digits) => {
    if (value == null) return "–";
    return value && (value >= 1e5 || value < 1e-3) ? value.toExponential(2) : value.toFixed(digits);
  };
  $("epoch").textContent = epoch.toLocaleString(language());
  $("updates").textContent = step.toLocaleString(language());
  $("rate").textContent = lr == null ? "–" : Number(lr.toPrecision(4));
  $("hash").textContent = hash;
  for (const part of ["train", "test"]) {
    $(`${part}-loss`).textContent = tell(scores[part].loss, 4);
    $(`${part}-accuracy`).textContent = tell(scores[part].accuracy, 3);
  }
  if (exploded) complain("exploded_at", { epoch, where: exploded });
  measurePace(step);
}

/** Updates a second, over about half a second. */
function measurePace(step) {
  const now = performance.now(),
    { time, updates } = state.pace;
  if (!state.playing || step < updates) Object.assign(state.pace, { time: now, updates: step });
  else if (now - time > 500) {
    $("pace").textContent = Math.round(((step - updates) * 1000) / (now - time)).toLocaleString(language());
    Object.assign(state.pace, { time: now, updates: step });
  }
}

function setPlaying(playing) {
  state.playing = playing;
  $("play").textContent = t(playing ? "pause" : "play");
  if (playing) say("");
  else {
    $("pace").textContent = "–";
    describeNow();
  }
}

// -- what can be taken away -----------------------------------------------------------------------------------------

function showFile({ name, mime, size, hash, arrays }) {
  const bytes = arrays.content.slice(0, size);
  if (!name.endsWith(".py")) {
    save(name, bytes, mime);
    return say("saved", { name });
  }
  $("code-box").hidden = false; // saved at a click only: browsers ask before they save programs
  $("code").textContent = new TextDecoder().decode(bytes);
  $("code-hash").textContent = hash;
  say("code_below");
}

// -- what is pressed ------------------------------------------------------------------------------------------------

function listen() {
  const click = (id, action) =>
    $(id).addEventListener("click", () => {
      hush();
      action();
    });
  click("play", () => send(state.playing ? { type: "pause" } : { type: "play", speed: state.speed }));
  click("step", () => send({ type: "step", epochs: 1 }));
  click("reset", () => send({ type: "reset" }));
  click("picture", () => savePicture($("boundary")));
  click("add-layer", () => {
    const { layers } = state.settings;
    change({
      ...state.settings,
      layers: [...layers, layers.at(-1) ?? { units: 4, activation: "Tanh", norm: "none", dropout: 0 }],
    });
  });
  click("share", async () => {
    const copied = await copy($("link").value);
    say(copied ? "link_copied" : "link_below");
    if (!copied) $("link").select();
  });
  click("save-code", () => save("playground.py", $("code").textContent, "text/x-python"));
  click("copy-code", async () => say((await copy($("code").textContent)) ? "code_copied" : "copy_refused"));
  for (const button of document.querySelectorAll("[data-export]")) {
    button.addEventListener("click", () => {
      hush();
      send({ type: "export", format: button.dataset.export });
    });
  }
  $("speed").addEventListener("change", () => {
    state.speed = Number($("speed").value);
    if (state.playing) send({ type: "play", speed: state.speed });
  });
  $("preset").addEventListener("change", takePreset);
  $("language").addEventListener("change", () => {
    choose($("language").value);
    retranslate();
  });
  $("show-test").addEventListener("change", () => {
    state.showTest = $("show-test").checked;
    draw();
  });
  $("settings").addEventListener("submit", (event) => event.preventDefault());
  watchProbe(
    $("boundary"),
    () => state.probe,
    (probe) => {
      state.probe = probe;
      draw();
    },
  );
  addEventListener("hashchange", () => {
    const found = fromLink();
    if (found) send({ type: "settings", settings: found });
  });
  addEventListener("resize", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}

function takePreset() {
  const name = $("preset").value;
  if (!name) return;
  change(state.presets[name]);
  state.preset = name;
  $("preset").value = name;
  $("preset-note").textContent = t(`preset_note_${name}`);
}

function retranslate() {
  translate();
  document.title = `fastnn ${t("playground")}`;
  $("language").value = language();
  setPlaying(state.playing);
  if (state.choices) drawChoices();
  if (state.points) drawClasses($("classes"), state.points);
  drawSettings();
}

listen();
retranslate();
