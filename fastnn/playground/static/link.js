// Settings in the address of the page: base64url of their JSON, after `#s=`.

export const LONGEST = 30000; // characters of a link that programs still pass on

/** The fragment of settings; empty if data of one's own makes it too long. */
export function encode(settings) {
  const bytes = new TextEncoder().encode(JSON.stringify(settings));
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  const coded = btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return coded.length > LONGEST ? "" : `#s=${coded}`;
}

/** The settings of a fragment; null if there are none, undefined if it is broken. */
export function decode(fragment) {
  if (!fragment.startsWith("#s=")) return null;
  try {
    const text = atob(fragment.slice(3).replaceAll("-", "+").replaceAll("_", "/"));
    return JSON.parse(
      new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(text, (c) => c.charCodeAt(0))),
    );
  } catch {
    return undefined;
  }
}
