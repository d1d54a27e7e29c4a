import { pathToFileURL } from "node:url";
import { keepCompiledCode, shareCompiledCode } from "@flts/cli/compiled-code";

/** What `compiled-code.test.ts` starts: it loads a module and says where compiled code is kept. */
keepCompiledCode(pathToFileURL(process.argv[2] ?? ""), process.env);
await import("@flts/common/contracts/errors");
shareCompiledCode();
process.stdout.write(JSON.stringify(process.env["NODE_COMPILE_CACHE"] ?? null));
process.kill(process.pid, "SIGKILL");
