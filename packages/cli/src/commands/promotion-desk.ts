import { hostname, userInfo } from "node:os";
import { FltsError } from "@flts/common/contracts/errors";
import { buckets } from "@flts/common/contracts/layout";
import type { Promotion } from "@flts/common/contracts/promotion";
import { promotion as promotionSchema } from "@flts/common/contracts/promotion";
import { loadConfig, setting } from "@flts/common/service/config";
import { createLogger } from "@flts/common/service/logger";
import { toMessage } from "@flts/common/stage/runner";
import { pipelineTopics } from "@flts/common/stage/topics";
import { lastPromotions, modelsOf, type RegisteredModel } from "@flts/eval/promotion/books";
import { createDoor, type Passage } from "@flts/eval/promotion/door";
import { createLedger } from "@flts/eval/promotion/ledger";
import { z } from "zod";
import { openHome } from "../home.ts";
import { runMeant, stationMeant } from "../meant.ts";

/** Where promotions are asked for and looked up: a running eval when `EVAL_URL` names one, else the backends themselves. Both go through the same door. */
export interface PromotionDesk {
  /** The run, and the station, that a person means; an eval is asked for what they wrote. */
  readonly runMeant: (text: string) => Promise<string>;
  readonly stationMeant: (identifier: string) => Promise<string>;
  promote(order: DeskOrder & { readonly runId: string }): Promise<Passage>;
  rollback(order: DeskOrder & { readonly toEpoch: number | null }): Promise<Passage>;
  promotions(identifier: string, limit: number): Promise<readonly Promotion[]>;
  models(identifier: string): Promise<readonly RegisteredModel[]>;
  close(): Promise<void>;
}

export interface DeskOrder {
  readonly identifier: string;
  readonly reason: string;
  readonly force: boolean;
}

const deskSettings = {
  EVAL_URL: setting
    .text("")
    .refine(
      (url) => url === "" || (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)),
      "must be a URL such as http://localhost:8050",
    ),
  PROMOTION_API_TOKEN: setting.text(""),
};

export async function openDesk(
  home: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<PromotionDesk> {
  const { EVAL_URL, PROMOTION_API_TOKEN } = loadConfig(deskSettings, environment, ["PROMOTION_API_TOKEN"]);
  return EVAL_URL === "" ? openBackendDesk(home) : createApiDesk(EVAL_URL, PROMOTION_API_TOKEN);
}

/** Who asks, as the books will know them. */
const actor = (): string => `${userInfo().username}@${hostname()}`;

async function openBackendDesk(home: string): Promise<PromotionDesk> {
  const backends = await openHome(home);
  const { store, tracker, clock, random, log: messages } = backends;
  const ledger = createLedger(store, buckets.promotion);
  const door = createDoor({
    store,
    tracker,
    clock,
    random,
    ledger,
    log: createLogger({ service: "flts", level: "silent", pretty: false }),
    promotionBucket: buckets.promotion,
    publish: async (emissions) => {
      await messages.ensureTopics(pipelineTopics(1));
      await messages.publish(emissions.map(toMessage));
    },
  });
  const promotions = (identifier: string, limit: number) => lastPromotions(identifier, limit, ledger);
  return {
    runMeant: (text) => runMeant(text, store),
    stationMeant: (identifier) => stationMeant(identifier, store),
    promote: (order) => door.promote({ ...order, actor: actor() }),
    rollback: (order) => door.rollback({ ...order, actor: actor() }),
    promotions,
    models: async (identifier) => modelsOf(await promotions(identifier, Number.POSITIVE_INFINITY)),
    close: () => backends.close(),
  };
}

const passage = z.object({ promotion: promotionSchema, changed: z.boolean() });
const promotionList = z.object({ promotions: z.array(promotionSchema) });
const modelList = z.object({
  models: z.array(
    z.object({
      version: z.string().nullable(),
      run_id: z.string(),
      model_type: z.string(),
      config_hash: z.string(),
      round: z.string(),
      manifest_sha256: z.string(),
      feature_schema: z.string().nullable(),
      rmse: z.number(),
      mae: z.number(),
      mse: z.number(),
      score: z.number(),
      epochs: z.array(z.number()),
      aliases: z.array(z.string()),
    }),
  ),
});

const query = (identifier: string): string => `identifier=${encodeURIComponent(identifier)}`;

function createApiDesk(url: string, token: string): PromotionDesk {
  const ask = async <T>(schema: z.ZodType<T>, path: string, init: RequestInit = {}): Promise<T> => {
    const answer = await fetch(new URL(path, url), init).catch((cause: unknown) => {
      throw new FltsError("INPUT_MISSING", `eval does not answer at ${url} (EVAL_URL)`, cause);
    });
    const body: unknown = await answer.json().catch(() => null);
    if (!answer.ok) throw new FltsError("PROMOTION_REFUSED", refusalOf(answer.status, body));
    const parsed = schema.safeParse(body);
    if (!parsed.success)
      throw new FltsError("INPUT_MISSING", `${url} is no FLTS eval (EVAL_URL)`, parsed.error);
    return parsed.data;
  };
  const post = (path: string, order: object): Promise<Passage> =>
    ask(passage, path, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify({ ...order, actor: actor() }),
    });
  return {
    runMeant: async (text) => text,
    stationMeant: async (identifier) => identifier,
    promote: (order) => post("promote", order),
    rollback: (order) => post("rollback", order),
    promotions: async (identifier, limit) =>
      (await ask(promotionList, `promotions?${query(identifier)}&limit=${limit}`)).promotions,
    models: async (identifier) => (await ask(modelList, `models?${query(identifier)}`)).models,
    close: async () => undefined,
  };
}

function refusalOf(status: number, body: unknown): string {
  const detail = z.object({ detail: z.string() }).safeParse(body);
  const hint = status === 401 ? " (PROMOTION_API_TOKEN or PROMOTION_API_TOKEN_FILE)" : "";
  return `${detail.success ? detail.data.detail : `eval answered with status ${status}`}${hint}`;
}
