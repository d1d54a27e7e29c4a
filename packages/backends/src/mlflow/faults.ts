import { FltsError } from "@flts/common/contracts/errors";
import { z } from "zod";

/** An answer that is not what was asked for. */
export interface Refusal {
  readonly status: number;
  /** MLflow's name of the fault, such as `RESOURCE_DOES_NOT_EXIST`; null when it was not MLflow that answered. */
  readonly errorCode: string | null;
  readonly message: string;
}

const refusalBody = z.object({ error_code: z.string(), message: z.string().default("") });

export function refusalOf(status: number, body: Uint8Array): Refusal {
  const text = Buffer.from(body).toString();
  try {
    const { error_code: errorCode, message } = refusalBody.parse(JSON.parse(text));
    return { status, errorCode, message };
  } catch {
    return { status, errorCode: null, message: text.replaceAll(/\s+/g, " ").trim().slice(0, 200) };
  }
}

export interface RefusedRequest {
  /** The server, as it was addressed. */
  readonly server: string;
  /** Of which method and path. */
  readonly what: string;
  /** The run that was asked for, if one was. */
  readonly runId?: string | undefined;
}

/** A refusal in the terms of FLTS: who can mend it. */
export function faultOf(refusal: Refusal, { server, what, runId }: RefusedRequest): FltsError {
  const { status, errorCode, message } = refusal;
  const said = `${what}: ${status} ${errorCode ?? ""} ${message}`;
  if (/invalid host header/i.test(message)) {
    const { host } = new URL(server);
    const text = `MLflow refuses to be called ${host}: start it with --allowed-hosts "${host}", or with a pattern that matches`;
    return new FltsError("TRACKER_FORBIDDEN", text);
  }
  if (status === 401 || status === 403) {
    const text = `MLflow at ${server} refuses the credentials; check MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN (${said})`;
    return new FltsError("TRACKER_FORBIDDEN", text);
  }
  if (runId !== undefined && errorCode === "RESOURCE_DOES_NOT_EXIST")
    return new FltsError("RUN_MISSING", `There is no run ${runId}`);
  if (status >= 500 || status === 408 || status === 429)
    return new FltsError("TRACKER_UNAVAILABLE", `MLflow at ${server} cannot serve now (${said})`);
  if (status === 413) return new FltsError("TRACKER_REJECTED", `Too large for the way to MLflow (${said})`);
  // A proxy's page while MLflow moves house, or somebody else's server: waiting or an operator mends it, not the sender.
  if (errorCode === null)
    return new FltsError("TRACKER_UNAVAILABLE", `${server} does not answer as MLflow does (${said})`);
  return new FltsError("TRACKER_REJECTED", `MLflow rejects ${said}`);
}
