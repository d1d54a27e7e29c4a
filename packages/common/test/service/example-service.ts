import { FltsError } from "../../src/contracts/errors.ts";
import { setting } from "../../src/service/config.ts";
import { runService, type ServiceContext, type Started } from "../../src/service/service.ts";

/** A service whose behaviour its environment picks: what the tests of a process's life start and watch. */

const settings = {
  BEHAVIOUR: setting.choice(
    [
      "serve",
      "job",
      "failing-job",
      "failing-start",
      "uncaught",
      "unhandled",
      "fatal",
      "stuck-stop",
      "failing-stop",
    ],
    "serve",
  ),
  RETRIES: setting.int(3, { min: 1 }),
  TOKEN: setting.text(""),
};

const fault = new FltsError("BUCKET_MISSING", "create the bucket", new Error("NoSuchBucket"));

await runService({
  name: "example",
  settings,
  secrets: ["TOKEN"],
  start: async (context): Promise<Started> => {
    for (const name of ["first", "second"])
      context.onStop(name, async () => context.log.info("service_stop", { stopping: name }));
    return behave(context.config.BEHAVIOUR, context);
  },
});

async function behave(
  behaviour: string,
  { onStop, fatal }: Pick<ServiceContext<unknown>, "onStop" | "fatal">,
): Promise<Started> {
  switch (behaviour) {
    case "job":
      return { done: Promise.resolve() };
    case "failing-job":
      return { done: Promise.reject(fault) };
    case "failing-start":
      throw fault;
    case "uncaught":
      setImmediate(() => {
        throw new TypeError("x is not a function");
      });
      break;
    case "unhandled":
      setImmediate(() => void Promise.reject(new TypeError("x is not a function")));
      break;
    case "fatal":
      setImmediate(() => fatal(fault));
      break;
    case "stuck-stop":
      onStop("stuck", () => new Promise(() => {}));
      break;
    case "failing-stop":
      onStop("failing", () => Promise.reject(new Error("the log is gone")));
      break;
    default:
      break;
  }
  return { ready: { answer: 42 } };
}
