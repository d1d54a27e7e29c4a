import { keepCompiledCode } from "./compiled-code.ts";

// Before anything else is loaded, so that all of it is kept.
keepCompiledCode(new URL("../node_modules/.cache/compiled", import.meta.url), process.env);
const { runFlts } = await import("./flts.ts");
await runFlts();
