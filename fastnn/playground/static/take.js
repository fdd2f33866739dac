// What can be taken away: code, the model, the picture, a link.

/** Let the browser save bytes or a blob as a file. */
export function save(name, content, mime) {
  const address = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type: mime }));
  const link = Object.assign(document.createElement("a"), { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

/** Save a canvas as a PNG. */
export const savePicture = (canvas) =>
  canvas.toBlob((blob) => save("playground.png", blob, "image/png"), "image/png");

/** Copy a text; returns whether that was allowed. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
