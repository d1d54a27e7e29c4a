import type { Clock } from "@flts/common/ports/clock";
import type { LogLine } from "../supervisor/log-line.ts";
import { numberField, portOf } from "../supervisor/log-line.ts";
import { checkPorts } from "../supervisor/ports.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import type { Dataset } from "./dataset.ts";
import { type PipelineOptions, preprocessOf, servicesOf, stationsOf } from "./process-specs.ts";
import { uploadDataset } from "./upload.ts";

/** A running service and where it answers. */
export interface Endpoint {
  readonly name: string;
  readonly pid: number | null;
  /** Null for a service without an API of its own. */
  readonly url: string | null;
  readonly metricsUrl: string | null;
}

export interface PipelineDeps {
  readonly supervisor: Supervisor;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface Pipeline {
  readonly endpoints: readonly Endpoint[];
}

/** Ports that one of our options sets. */
const portOptions = {
  gateway: "--gateway-port",
  inference: "--inference-port",
  eval: "--eval-port",
} as const;

/**
 * Starts every service, uploads the datasets and preprocesses them; resolves when all services are ready and all claims are sent. Training has
 * begun by then.
 * @throws INPUT_MISSING for a port that is taken or a refused upload, and what preprocess says is wrong with the data
 */
export async function startPipeline(
  { supervisor, clock, signal }: PipelineDeps,
  options: PipelineOptions,
  datasets: readonly Dataset[],
): Promise<Pipeline> {
  const wanted = Object.entries(portOptions).map(([service, option]) => {
    const port = options.ports[service as keyof typeof portOptions];
    return { service, port, option };
  });
  await checkPorts(wanted, options.host, clock);
  const stations = stationsOf(datasets.map(({ name }) => name));
  const services = servicesOf(options, stations).map((spec) => supervisor.start(spec));
  const ready = Promise.all(
    services.map(async ({ name, ready: line, pid }) =>
      endpointOf(name, pid() ?? null, await line, options.host),
    ),
  );
  ready.catch(() => undefined); // Awaited below, after what can fail before it.
  const feed = async (): Promise<Pipeline> => {
    const gateway = services.find(({ name }) => name === "gateway");
    if (gateway === undefined) throw new Error("the pipeline has no gateway");
    const { url } = endpointOf("gateway", null, await gateway.ready, options.host);
    for (const dataset of datasets) await uploadDataset(url ?? "", dataset, signal);
    for (const station of stations) await supervisor.run(preprocessOf(options, station)).done;
    return { endpoints: await ready };
  };
  return Promise.race([feed(), supervisor.fatal]);
}

/** The URL of a service by name. */
export function urlOf({ endpoints }: Pipeline, name: string): string {
  const url = endpoints.find((endpoint) => endpoint.name === name)?.url;
  if (url === undefined || url === null) throw new Error(`${name} has no URL`);
  return url;
}

function endpointOf(name: string, pid: number | null, line: LogLine, host: string): Endpoint {
  const at = (port: number | undefined, path: string): string | null =>
    port === undefined ? null : `http://${host === "0.0.0.0" ? "localhost" : host}:${port}${path}`;
  return {
    name,
    pid,
    url: at(portOf(line), ""),
    metricsUrl: at(numberField(line, "metricsPort"), "/metrics"),
  };
}
