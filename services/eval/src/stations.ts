import { writeDocument } from "@flts/common/claim-check/documents";
import { hasCode } from "@flts/common/contracts/errors";
import { DEFAULT_STATION, stationOf } from "@flts/common/contracts/identity";
import { keys } from "@flts/common/contracts/layout";
import type { ObjectStore } from "@flts/common/ports/object-store";

/** The stations that eval has heard of, an object each, so that a sweep after a restart looks at all of them without listing the bucket. */
export interface StationBook {
  note(identifier: string): Promise<void>;
  /** Identifiers of all stations; the default one is always among them. */
  list(): Promise<readonly string[]>;
}

export function createStationBook(store: ObjectStore, bucket: string): StationBook {
  /** Only spares the store a write that would find the object there. */
  const noted = new Set([DEFAULT_STATION]);
  return {
    async note(identifier) {
      const station = stationOf(identifier);
      if (noted.has(station)) return;
      try {
        await writeDocument(
          store,
          { bucket, key: keys.station(identifier) },
          { identifier },
          { ifNoneMatch: "*" },
        );
      } catch (error) {
        if (!hasCode(error, "OBJECT_CONFLICT")) throw error;
      }
      noted.add(station);
    },
    async list() {
      const stations = [""];
      for await (const { key } of store.list(bucket, keys.stations))
        stations.push(key.slice(keys.stations.length));
      return stations;
    },
  };
}
