// Prints the Khronos validator's report on one GLB as JSON: node validate.mjs FILE MODULES
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [file, modules] = process.argv.slice(2);
const validator = createRequire(modules + "/")("gltf-validator");
const report = await validator.validateBytes(new Uint8Array(readFileSync(file)));
console.log(JSON.stringify(report.issues));
