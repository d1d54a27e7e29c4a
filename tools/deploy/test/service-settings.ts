import { backendSecrets, backendSettings } from "@flts/backends/connect";
import { housekeepingSettings } from "@flts/common/housekeeping/housekeeping";
import { processSettings } from "@flts/common/service/service";
import type { z } from "zod";
import { evalSettings } from "../../../services/eval/src/config.ts";
import { gatewaySettings } from "../../../services/gateway/src/config.ts";
import { inferenceSettings } from "../../../services/inference/src/config.ts";
import { preprocessSettings } from "../../../services/preprocess/src/config.ts";
import { familySettings, trainSettings } from "../../../services/train/src/config.ts";

/** Every variable that a service reads, as its `main.ts` puts them together, and those of them that may be files. */
export interface ServiceSettings {
  readonly shape: z.ZodRawShape;
  readonly secrets: readonly string[];
}

/** What Node itself reads. */
export const nodeVariables = ["NODE_OPTIONS"];

const service = (shape: object, ...secrets: string[]): ServiceSettings => ({
  shape: { ...processSettings, ...backendSettings, ...shape },
  secrets: [...backendSecrets, ...secrets],
});

export const serviceSettings: Readonly<Record<string, ServiceSettings>> = {
  gateway: service(gatewaySettings),
  preprocess: service(preprocessSettings),
  train: service({ ...trainSettings, ...familySettings }),
  eval: service({ ...evalSettings, ...housekeepingSettings }, "PROMOTION_API_TOKEN"),
  inference: service(inferenceSettings),
  cli: { shape: backendSettings, secrets: backendSecrets },
};
