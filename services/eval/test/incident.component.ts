import { testIncident } from "./incident-suite.ts";

for (const name of ["KAFKA_BOOTSTRAP_SERVERS", "S3_ENDPOINT", "MLFLOW_TRACKING_URI"])
  if ((process.env[name] ?? "") === "")
    throw new Error(
      `${name} is not set: start the servers, for example with tools/components/components.sh up`,
    );

testIncident(process.env);
