import { z } from "zod";
import { through } from "./forward.ts";
import { get } from "./kubectl.ts";

/** Eval over HTTP, as an operator asks it. */

const promotion = z.object({
  epoch: z.number(),
  run_id: z.string(),
  model_type: z.string(),
  verdict: z.string(),
  round: z.string(),
});
export type Promotion = z.infer<typeof promotion>;

const decisions = z.object({
  decisions: z.array(
    z.object({ scoreboard: z.array(z.object({ run_id: z.string(), model_type: z.string() })) }),
  ),
});

const EVAL_PORT = 8050;

/** What was promoted for a station, the latest first. */
export const promotionsOf = (station = ""): Promise<readonly Promotion[]> =>
  through("service/eval", EVAL_PORT, async (url) => {
    const answer = await fetch(`${url}/promotions?identifier=${station}`);
    return z.object({ promotions: z.array(promotion) }).parse(await answer.json()).promotions;
  });

/** The models that a round was decided over, the best first; null before it is decided. */
export const scoreboardOf = (
  round: string,
): Promise<readonly { readonly run_id: string; readonly model_type: string }[] | null> =>
  through("service/eval", EVAL_PORT, async (url) => {
    const answer = await fetch(`${url}/scoreboard/${round}`);
    if (answer.status === 404) return null;
    return decisions.parse(await answer.json()).decisions[0]?.scoreboard ?? null;
  });

/** `POST /promote` and `/rollback` on eval behind `url`. @throws with what it refused */
export async function order(url: string, path: string, body: object): Promise<void> {
  const answer = await fetch(`${url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${await token()}` },
    body: JSON.stringify({ reason: "a test of the deployment", ...body }),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
}

async function token(): Promise<string> {
  const { data } = await get<{ readonly data: { readonly token: string } }>("secret", "flts-promotion");
  return Buffer.from(data.token, "base64").toString();
}
