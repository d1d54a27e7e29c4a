/** What `spawn.test.ts` starts: it says what it was given, on both outputs, and ends. */
console.log(
  `${process.env["GREETING"]}, parent ${process.env["FLTS_PARENT"]}, ${process.env["NODE_OPTIONS"]}`,
);
console.error("to stderr");
process.exitCode = 3;
