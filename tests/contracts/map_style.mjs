// Reads a style from standard input; writes what MapLibre's own validator finds, as JSON.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
const require = createRequire(new URL("../../gateway/console/package.json", import.meta.url));
const { validateStyleMin } = require("@maplibre/maplibre-gl-style-spec");
const found = validateStyleMin(JSON.parse(readFileSync(0, "utf8")));
process.stdout.write(JSON.stringify(found.map((each) => each.message)));
