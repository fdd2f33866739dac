// Run a network that `fastnn.export_c` wrote, compiled to WebAssembly: node run.mjs model.wasm 0.5 -1.5
import { readFile } from "node:fs/promises";

const [file, ...numbers] = process.argv.slice(2);
const { instance } = await WebAssembly.instantiate(await readFile(file));
const { memory, model_predict, __heap_base } = instance.exports;
const x = (__heap_base.value + 15) & ~15;
const y = x + 4 * numbers.length;
new Float32Array(memory.buffer, x, numbers.length).set(numbers.map(Number));
model_predict(x, y);
console.log(new Float32Array(memory.buffer, y, 1)[0]);
