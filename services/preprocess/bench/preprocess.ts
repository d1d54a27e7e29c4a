/** `pnpm bench:preprocess`: a station's pair of files beside pandas, or with `--large [ROWS]` a file of ten million rows. */
await import(process.argv.includes("--large") ? "./large.ts" : "./pair.ts");
