import { stationOf } from "@flts/common/contracts/identity";
import { isStation } from "@flts/common/contracts/layout";
import type { Clock } from "@flts/common/ports/clock";
import { HttpError } from "@flts/common/service/http";
import type { Champion, Loan } from "./model-slot.ts";
import { openStation, type Station, type StationDeps } from "./station.ts";

/**
 * The stations that this replica serves: its own, which is always there, and others from the first request that names them until room is needed.
 *
 * - N1 The models of other stations fit into a budget of bytes; those asked for longest ago go first. The replica's own is never one of them.
 * - N2 Many requests for a station that is not there yet load it once, and whoever asks for one that nobody knows finds that out without asking the store each time.
 */
export interface Stations {
  /** The replica's own. */
  readonly own: Station;
  /**
   * Borrows a station's champion; null asks for the replica's own. Null while it has none.
   * @throws HttpError 400 for what is no name of a station, 404 for one without a promoted model, 503 when too many others are being loaded
   */
  borrow(identifier: string | null): Loan | null | Promise<Loan | null>;
  /** Whether that is the replica's own station; null is. */
  isOwn(identifier: string | null): boolean;
  /** The champion of a station that is served already. */
  championOf(identifier: string | null): Champion | null;
  /** The head of this station may have changed; null: of any. */
  hint(identifier: string | null): void;
  stats(): StationsStats;
  stop(): Promise<void>;
}

export interface StationsStats {
  readonly stations: number;
  /** Of models, the replica's own among them. */
  readonly bytes: number;
  readonly evicted: number;
  /** Stations whose promoted model is not served: it is being loaded, or cannot be had. */
  readonly behind: number;
}

export interface StationsOptions extends StationDeps {
  /** The replica's own station. */
  readonly identifier: string;
  readonly maxBytes: number;
}

/** Heads of other stations are looked at so much less often: there may be hundreds, and events tell of them, too. */
const POLL_FACTOR = 10;
/** Other stations that are opened at once: each asks the store and loads a model. */
const MAX_OPENING = 8;
/** How long a station without a promoted model is remembered as such, and how many of them are. */
const UNKNOWN_MS = 5_000;
const MAX_UNKNOWN = 10_000;

export function createStations(options: StationsOptions): Stations {
  const { clock, maxBytes, ...deps } = options;
  const own = openStation(options.identifier, options);
  const ownName = stationOf(options.identifier);
  const isOwn = (identifier: string | null): boolean =>
    identifier === null || stationOf(identifier) === ownName;
  /** By name, in the order of their last use. */
  const others = new Map<string, Station>();
  const unknown = createUnknown(clock);
  const closing = new Set<Promise<void>>();
  let opening = 0;
  let evicted = 0;

  function borrowOther(name: string): Loan | null | Promise<Loan | null> {
    const known = others.get(name);
    if (known === undefined) return openOther(name);
    others.delete(name);
    others.set(name, known);
    return known.slot.borrow() ?? waitFor(name, known);
  }

  function openOther(name: string): Promise<Loan | null> {
    if (!isStation(name))
      throw new HttpError(400, `identifier ${JSON.stringify(name.slice(0, 100))} does not name a station`);
    if (unknown.has(name)) throw noModel(name);
    if (opening >= MAX_OPENING)
      throw new HttpError(503, "Too many stations are being loaded", { "retry-after": "1" });
    opening += 1;
    const station = openStation(name, { ...deps, clock, pollMs: deps.pollMs * POLL_FACTOR });
    others.set(name, station);
    return waitFor(name, station).finally(() => {
      opening -= 1;
      makeRoom(station);
    });
  }

  async function waitFor(name: string, station: Station): Promise<Loan | null> {
    const state = await station.opened;
    const loan = station.slot.borrow();
    if (loan !== null || state === "present") return loan;
    close(name, station);
    if (state === "unreachable") return null;
    unknown.add(name);
    throw noModel(name);
  }

  function close(name: string, station: Station): void {
    if (others.get(name) !== station) return;
    others.delete(name);
    const closed = station.stop().finally(() => closing.delete(closed));
    closing.add(closed);
  }

  /** N1; the station that was asked for last stays, however large its model. */
  function makeRoom(last: Station): void {
    for (const [name, station] of others) {
      if (bytesOf(others.values()) <= maxBytes) return;
      if (station === last || station.slot.current() === null) continue;
      evicted += 1;
      close(name, station);
    }
  }

  return {
    own,
    borrow: (identifier) =>
      isOwn(identifier) ? own.slot.borrow() : borrowOther(stationOf(identifier ?? "")),
    isOwn,
    championOf(identifier) {
      const station = isOwn(identifier) ? own : others.get(stationOf(identifier ?? ""));
      return station?.slot.current() ?? null;
    },
    hint(identifier) {
      if (isOwn(identifier)) own.hint();
      if (identifier === null) {
        unknown.clear();
        for (const station of others.values()) station.hint();
      } else {
        unknown.delete(stationOf(identifier));
        others.get(stationOf(identifier))?.hint();
      }
    },
    stats() {
      const all = [own, ...others.values()];
      const behind = all.filter((station) => station.isBehind()).length;
      return { stations: all.length, bytes: bytesOf(all), evicted, behind };
    },
    async stop() {
      for (const [name, station] of others) close(name, station);
      await Promise.all([own.stop(), ...closing]);
    },
  };
}

function bytesOf(stations: Iterable<Station>): number {
  let bytes = 0;
  for (const { slot } of stations) bytes += slot.current()?.model.sizeBytes ?? 0;
  return bytes;
}

const noModel = (name: string): HttpError =>
  new HttpError(404, `There is no promoted model for identifier ${JSON.stringify(name)}`);

/** Stations that were found to have no promoted model, for a while (N2). */
function createUnknown(clock: Clock) {
  const until = new Map<string, number>();
  return {
    add(identifier: string): void {
      if (until.size >= MAX_UNKNOWN) until.clear();
      until.set(identifier, clock.monotonicMs() + UNKNOWN_MS);
    },
    has: (identifier: string): boolean => (until.get(identifier) ?? 0) > clock.monotonicMs(),
    delete: (identifier: string): boolean => until.delete(identifier),
    clear: (): void => until.clear(),
  };
}
