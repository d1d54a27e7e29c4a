import { FltsError } from "@flts/common/contracts/errors";

export interface S3Settings {
  readonly S3_ENDPOINT: string;
  readonly AWS_REGION: string;
  readonly AWS_ACCESS_KEY_ID: string;
  readonly AWS_SECRET_ACCESS_KEY: string;
  readonly AWS_SESSION_TOKEN: string;
}

/** Where the store is, and who asks. */
export interface S3Location {
  /** URL of the store, such as `http://minio:9000`. */
  readonly endpoint: string;
  readonly region: string;
  /** Both empty: the SDK looks where AWS puts credentials (a role of the pod, of the machine). */
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials; empty for none. */
  readonly sessionToken: string;
}

/** Reads AWS's own variables as its clients do. @throws CONFIG_INVALID */
export function s3Location(settings: S3Settings): S3Location {
  const { S3_ENDPOINT: endpoint, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = settings;
  if (!/^https?:$/.test(URL.parse(endpoint)?.protocol ?? ""))
    throw new FltsError(
      "CONFIG_INVALID",
      `S3_ENDPOINT must be an http(s) URL, not ${JSON.stringify(endpoint)}`,
    );
  if ((AWS_ACCESS_KEY_ID === "") !== (AWS_SECRET_ACCESS_KEY === ""))
    throw new FltsError(
      "CONFIG_INVALID",
      "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go together: set both or neither",
    );
  return {
    endpoint,
    region: settings.AWS_REGION,
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    sessionToken: settings.AWS_SESSION_TOKEN,
  };
}
