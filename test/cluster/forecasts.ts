import { z } from "zod";
import { type Forwarded, forward } from "./forward.ts";
import { get } from "./kubectl.ts";
import { isReady, nameOf, podsOf } from "./pods.ts";

/** Inference over HTTP, as its clients ask it. */

const forecast = z.object({
  status: z.string(),
  run_id: z.string(),
  predictions: z.array(z.looseObject({ ts: z.string(), down: z.number() })).min(1),
});

/** The next three steps after the server's own table. @throws unless the answer is a forecast */
export async function predict(url: string): Promise<z.infer<typeof forecast>> {
  const answer = await fetch(`${url}/predict?inference_length=3`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return forecast.parse(await answer.json());
}

interface Service {
  readonly status: {
    readonly loadBalancer: {
      readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[];
    };
  };
}

/** `inference-lb` by its own address; forwarded where the cluster gives load balancers none. */
export async function openLoadBalancer(): Promise<Forwarded> {
  const { status } = await get<Service>("service", "inference-lb");
  const { ip, hostname } = status.loadBalancer.ingress?.[0] ?? {};
  const address = ip ?? hostname;
  return address === undefined
    ? forward("service/inference-lb", 80)
    : { url: `http://${address}`, close: () => undefined };
}

/** Each ready replica by itself. */
export async function openReplicas(): Promise<readonly Forwarded[]> {
  const pods = (await podsOf("app=inference")).filter(isReady);
  return Promise.all(pods.map((pod) => forward(`pod/${nameOf(pod)}`, 8000)));
}
