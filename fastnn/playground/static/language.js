// The language of the page. All its texts are in texts.js.
import { texts } from "./texts.js";

const KEY = "fastnn-playground-language";
let current = (() => {
  try {
    const kept = localStorage.getItem(KEY);
    if (kept in texts) return kept;
  } catch {
    /* storage is off */
  }
  return navigator.language.startsWith("ko") ? "ko" : "en";
})();

export const language = () => current;

/** The text of a key in the language of the page, with values for {names}. */
export function t(key, values = {}) {
  const text = texts[current][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** The text of a key if there is one, otherwise the key: for names such as "Tanh". */
export const named = (prefix, name) => texts[current][`${prefix}_${name}`] ?? name;

/** Take another language. */
export function choose(name) {
  current = name;
  try {
    localStorage.setItem(KEY, name);
  } catch {
    /* storage is off */
  }
}

/** Write the texts of elements with data-text, and the labels of those with data-label. */
export function translate(root = document) {
  document.documentElement.lang = current;
  for (const element of root.querySelectorAll("[data-text]")) element.textContent = t(element.dataset.text);
  for (const element of root.querySelectorAll("[data-label]"))
    element.setAttribute("aria-label", t(element.dataset.label));
}
