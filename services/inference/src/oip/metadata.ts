import { stationOf } from "@flts/common/contracts/identity";
import { CODE_VERSION } from "@flts/common/service/service";
import type { Champion } from "../model/model-slot.ts";
import { tensorsOf } from "./model-tensors.ts";

export const serverMetadata = { name: "flts-inference", version: CODE_VERSION, extensions: [] };

/**
 * A station's champion as a model of the protocol. The name is the station's, not the family's: a promotion may replace an LSTM by a GRU, and clients that ask
 * for the best model of a station go on asking for the same one. The version is the epoch.
 */
export function modelMetadata({ promotion, model }: Champion): object {
  return {
    name: stationOf(promotion.identifier),
    versions: [String(promotion.epoch)],
    platform: `flts_${promotion.model_type.toLowerCase()}`,
    ...tensorsOf(model),
    parameters: {
      columns: model.columns,
      targets: model.targets,
      step_ms: model.stepMs,
      run_id: promotion.run_id,
      model_type: promotion.model_type,
      config_hash: promotion.config_hash,
    },
  };
}
