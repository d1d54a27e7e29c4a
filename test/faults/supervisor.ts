import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import type { Environment } from "../e2e/backends.ts";
import { type ServiceProcess, startService } from "../e2e/service-process.ts";

/**
 * A service that is started again whenever it ends, as a cluster does, and that can be told where to die. Each of its lives knows one place, and a file that
 * keeps it from dying there; armed means that the file is away. So a life mends what the one before left behind, unharmed, and is the next victim.
 */
export interface Supervised {
  /** Resolves when the service is up and will die at that place, once, or stand still there until it is told to go on. */
  arm(place: string, action?: Action): Promise<void>;
  /** Nothing will happen at the place after all. */
  disarm(): void;
  /** Resolves when it has come to the place. */
  reached(): Promise<void>;
  /** Lets a life that stands still go on. */
  resume(): void;
  /** Of the present life; 0 before its first line. */
  pid(): number;
  /** As the death of its machine does. */
  kill(): void;
  /** Fields of the `service_ready` line of the present life. */
  ready(): Promise<Readonly<Record<string, unknown>>>;
  /** How lives ended that nobody had killed or stopped. */
  readonly crashes: readonly (number | string | null)[];
  /** Lines of all lives. */
  lines(): readonly string[];
  stop(): Promise<void>;
}

type Action = "kill" | "stop";

interface Fate {
  readonly place: string;
  readonly action: Action;
}

interface Life extends Fate {
  readonly child: ServiceProcess;
  /** While it is there, nothing happens at the place. */
  readonly marker: string;
}

const patience = { timeout: 120_000, interval: 50 };
const harmless: Fate = { place: "before:list:nowhere", action: "kill" };

/** @param places in the order in which they will be asked for: a life is born with the place after its predecessor's */
export function supervise(
  name: string,
  folder: string,
  settings: Environment,
  places: readonly string[] = [],
): Supervised {
  const markers = mkdtempSync(join(tmpdir(), `flts-faults-${name}-`));
  const lives: Life[] = [];
  const crashes: (number | string | null)[] = [];
  /** The fate of the next life, where somebody has asked for one. */
  let wanted: Fate | null = null;
  let stopping = false;

  function begin({ place, action }: Fate): void {
    const marker = join(markers, String(lives.length));
    closeSync(openSync(marker, "w"));
    const child = startService(name, folder, {
      ...settings,
      FLTS_FAILPOINT: place,
      FLTS_FAILPOINT_SCOPE: "process",
      FLTS_FAILPOINT_ACTION: action,
      FLTS_FAILPOINT_FILE: marker,
    });
    lives.push({ child, place, action, marker });
  }
  const present = (): Life => lives.at(-1)!;

  async function keep(): Promise<void> {
    for (;;) {
      const { child, place } = present();
      const ended = await child.ended;
      if (stopping) return;
      if (ended !== "SIGKILL" && wanted === null) crashes.push(ended);
      const following = places[places.indexOf(place) + 1];
      begin(wanted ?? (following === undefined ? harmless : { place: following, action: "kill" }));
      wanted = null;
    }
  }

  async function replace(fate: Fate): Promise<void> {
    const before = present();
    wanted = fate;
    before.child.stop();
    await vi.waitUntil(() => present() !== before, patience);
  }

  /** Of whichever life gets so far. */
  async function ready(): Promise<Readonly<Record<string, unknown>>> {
    for (;;) {
      const life = present();
      try {
        return await life.child.ready;
      } catch (error) {
        if (stopping) throw error;
        await vi.waitUntil(() => present() !== life, patience);
      }
    }
  }

  function pid(): number {
    const line = present().child.lines.find((text) => text.includes('"service_start"'));
    return line === undefined ? 0 : (JSON.parse(line) as { readonly pid: number }).pid;
  }

  function signal(kind: "SIGKILL" | "SIGCONT"): void {
    // 0 would be our own process group.
    if (pid() > 0) process.kill(pid(), kind);
  }

  begin(places[0] === undefined ? harmless : { place: places[0], action: "kill" });
  const keeping = keep();
  let victim = present();
  return {
    async arm(place, action = "kill") {
      await ready();
      const isIt = (life: Life): boolean =>
        life.place === place && life.action === action && life !== victim && existsSync(life.marker);
      if (!isIt(present())) {
        await replace({ place, action });
        await ready();
      }
      victim = present();
      rmSync(victim.marker);
    },
    disarm: () => closeSync(openSync(victim.marker, "w")),
    reached: async () => void (await vi.waitUntil(() => existsSync(victim.marker), patience)),
    resume: () => signal("SIGCONT"),
    pid,
    kill: () => signal("SIGKILL"),
    ready,
    crashes,
    lines: () => lives.flatMap(({ child }) => child.lines),
    async stop() {
      stopping = true;
      signal("SIGCONT");
      present().child.stop();
      await keeping;
      rmSync(markers, { recursive: true, force: true });
    },
  };
}
