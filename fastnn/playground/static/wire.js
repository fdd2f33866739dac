// The connection to the server: JSON in texts, arrays in binary messages (fastnn/playground/views.py, `packed`).

const DTYPES = { uint8: Uint8Array, float32: Float32Array };
const RETRY = 1500; // ms

/** The header of a binary message and its arrays by name, each with `shape`. */
export function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const arrays = {};
  for (const { name, dtype, shape, offset } of header.arrays) {
    const size = shape.reduce((a, b) => a * b, 1);
    arrays[name] = new DTYPES[dtype](buffer, 4 + length + offset, size);
    arrays[name].shape = shape;
  }
  return { ...header, arrays };
}

/** Connect, and again when the connection ends. `receive` is given each message, `changed` whether there is one. */
export function connect(receive, changed) {
  let socket;
  const open = () => {
    socket = new WebSocket(`ws://${location.host}/session`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => changed(true);
    socket.onmessage = ({ data }) => receive(typeof data === "string" ? JSON.parse(data) : unpack(data));
    socket.onclose = () => {
      changed(false);
      setTimeout(open, RETRY);
    };
  };
  open();
  return (message) => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(message));
}
