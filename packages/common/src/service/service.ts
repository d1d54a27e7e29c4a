import type { z } from "zod";
import { codeOf } from "../contracts/errors.ts";
import type { RunningStage } from "../stage/runner.ts";
import { loadConfig, setting } from "./config.ts";
import { manageLifecycle } from "./lifecycle.ts";
import { createLogger, type Logger } from "./logger.ts";
import { createMetrics, type ServiceMetrics } from "./metrics.ts";
import { createProbes, type Probes, serveMetrics } from "./probes.ts";

/** The settings every process has. */
export const processSettings = {
  LOG_LEVEL: setting.choice(["debug", "info", "warn", "error", "silent"], "info"),
  /** Lines for people; always on when the output is a terminal. */
  LOG_PRETTY: setting.flag(false),
  METRICS_PORT: setting.port(9091),
  /** Address the process listens on. */
  HOST: setting.text("0.0.0.0"),
  /** How long a stopping process may take to hand back its work. */
  SHUTDOWN_TIMEOUT_MS: setting.int(25_000, { min: 100 }),
  /** Set by a supervisor that started us with a pipe as standard input: when that closes, it is gone, and we go. */
  FLTS_PARENT: setting.flag(false),
};

type Settings<Shape extends z.ZodRawShape> = z.infer<z.ZodObject<Shape>>;
export type ProcessConfig = Settings<typeof processSettings>;

/** The release, as manifests and logs name it. */
export const CODE_VERSION = "0.1.0";

/** sysexits.h: the program was configured wrongly. */
const EX_CONFIG = 78;

export interface ServiceContext<Config> {
  readonly config: Config;
  readonly log: Logger;
  readonly metrics: ServiceMetrics;
  readonly probes: Probes;
  /** Aborts when the process begins to stop, be it ready or not. */
  readonly stopping: AbortSignal;
  /** Registers what to do at the end; the last registered is done first. */
  onStop(name: string, stop: () => Promise<void>): void;
  /** Ends the process after an error that only an operator can mend. */
  fatal(error: unknown): void;
}

export interface ServiceDefinition<Shape extends z.ZodRawShape> {
  readonly name: string;
  readonly settings: Shape;
  /** Variables that may be given as files (`NAME_FILE`). */
  readonly secrets?: readonly string[];
  /** Brings the service up and resolves when it is ready; until then it is alive and not ready. */
  readonly start: (context: ServiceContext<Settings<Shape> & ProcessConfig>) => Promise<Started>;
}

export interface Started {
  /** What the line `service_ready` says beside the metrics port. */
  readonly ready?: Readonly<Record<string, unknown>>;
  /** Given by a job: the process ends with code 0 when it resolves. */
  readonly done?: Promise<void>;
}

/**
 * The life of a process: settings (exit 78 when they are wrong), log, metrics and probes, start in order, stop in reverse. A fault that an
 * operator must mend ends it with code 1 and one line that says why.
 */
export async function runService<Shape extends z.ZodRawShape>(
  definition: ServiceDefinition<Shape>,
): Promise<void> {
  const config = readConfig(definition);
  if (config === null) return;
  const log = createLogger({
    service: definition.name,
    level: config.LOG_LEVEL,
    pretty: config.LOG_PRETTY || process.stdout.isTTY,
  });
  const metrics = createMetrics(definition.name);
  const probes = createProbes();
  let started = false;
  probes.addComponent("start", () => started);
  const stopping = new AbortController();
  const lifecycle = manageLifecycle({
    log,
    timeoutMs: config.SHUTDOWN_TIMEOUT_MS,
    onStopping: () => {
      probes.drain();
      stopping.abort();
    },
    endWithParent: config.FLTS_PARENT,
  });
  const fatal = (error: unknown): void => {
    log.error("service_crash", error);
    lifecycle.exit(exitCodeOf(error));
  };
  try {
    log.info("service_start", { pid: process.pid });
    const server = await serveMetrics(config.METRICS_PORT, config.HOST, metrics.registry, probes);
    lifecycle.onStop("metrics", () => server.close());
    const { ready, done } = await definition.start({
      config,
      log,
      metrics,
      probes,
      stopping: stopping.signal,
      onStop: lifecycle.onStop,
      fatal,
    });
    started = true;
    log.info("service_ready", { metricsPort: server.port, ...ready });
    if (done === undefined) return;
    await done;
    lifecycle.exit(0);
  } catch (error) {
    // A start or a job that was broken off is nobody's fault.
    if (!stopping.signal.aborted) fatal(error);
  }
}

function readConfig<Shape extends z.ZodRawShape>({
  name,
  settings,
  secrets = [],
}: ServiceDefinition<Shape>): (Settings<Shape> & ProcessConfig) | null {
  try {
    return loadConfig({ ...processSettings, ...settings }, process.env, secrets) as Settings<Shape> &
      ProcessConfig;
  } catch (error) {
    createLogger({ service: name, level: "info", pretty: process.stdout.isTTY }).error(
      "config_invalid",
      error,
    );
    process.exitCode = exitCodeOf(error);
    return null;
  }
}

const exitCodeOf = (error: unknown): number => (codeOf(error) === "CONFIG_INVALID" ? EX_CONFIG : 1);

/** Whether a stage is in its group and has lately heard from the log. */
export function stageIsAlive(stage: RunningStage, maxSilenceMs = 15_000): boolean {
  const { joined, lastPollAgoMs } = stage.health();
  return joined && lastPollAgoMs < maxSilenceMs;
}
