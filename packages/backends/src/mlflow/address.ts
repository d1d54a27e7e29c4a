import { FltsError } from "@flts/common/contracts/errors";

export interface MlflowSettings {
  /** `http://mlflow:5000`; a path and credentials may be part of it. */
  readonly MLFLOW_TRACKING_URI: string;
  readonly MLFLOW_TRACKING_USERNAME: string;
  readonly MLFLOW_TRACKING_PASSWORD: string;
  readonly MLFLOW_TRACKING_TOKEN: string;
}

/** Where MLflow is, and what to say at its door. */
export interface MlflowAddress {
  /** Without a slash at its end. */
  readonly url: string;
  /** The value of the header `Authorization`. */
  readonly authorization: string | null;
}

/**
 * Reads MLflow's own variables as its clients do: a user name with a password goes before a token.
 * @throws CONFIG_INVALID
 */
export function mlflowAddress(settings: MlflowSettings): MlflowAddress {
  const { MLFLOW_TRACKING_URI: uri, MLFLOW_TRACKING_TOKEN: token } = settings;
  const url = URL.parse(uri);
  if (url === null || !["http:", "https:"].includes(url.protocol))
    throw new FltsError(
      "CONFIG_INVALID",
      `MLFLOW_TRACKING_URI must be the URL of an MLflow server, such as http://mlflow:5000, not ${withoutLogin(uri)}`,
    );
  const user = settings.MLFLOW_TRACKING_USERNAME || decoded(url.username);
  const password = settings.MLFLOW_TRACKING_PASSWORD || decoded(url.password);
  return {
    url: `${url.origin}${url.pathname}`.replace(/\/+$/, ""),
    authorization: authorizationOf(user, password, token),
  };
}

/** A password may stand in front of the server's name, also where the rest is wrong. */
const withoutLogin = (uri: string): string => uri.replace(/^.*@/s, "…@");

/** A part of a URL as it was meant: a percent sign that begins no code stands for itself, as in Python's URLs. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function authorizationOf(user: string, password: string, token: string): string | null {
  if (user !== "" && password !== "") return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  return token === "" ? null : `Bearer ${token}`;
}
