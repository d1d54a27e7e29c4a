import { loadConfig } from "@flts/common/service/config";
import { servingNodeOptions } from "@flts/common/service/serving-process";
import { expect, test } from "vitest";
import { installations } from "../helm.ts";
import { type Container, containersOf, type Variable } from "../manifests.ts";
import { type Deployed, deployed, oneNode, titled } from "./rendered.ts";
import { nodeVariables, serviceSettings } from "./service-settings.ts";

/** Our own services' containers, with the name of the service. */
const ours = (container: Container): string | undefined => /^flts\/([a-z]+):/.exec(container.image)?.[1];

const serviceContainers = installations.flatMap((installation) =>
  deployed({ installation })
    .pods.flatMap((pods) => containersOf(pods).map((container) => ({ pods, container })))
    .flatMap(({ pods, container }) => {
      const settings = serviceSettings[ours(container) ?? ""];
      const title = `${titled(installation)}: ${pods.owner.metadata.name}`;
      return settings === undefined ? [] : [{ title, pods, container, settings }];
    }),
);

const baseOf = (name: string, secrets: readonly string[]): string =>
  name.endsWith("_FILE") && secrets.includes(name.slice(0, -"_FILE".length))
    ? name.slice(0, -"_FILE".length)
    : name;

test.each(serviceContainers)("$title reads every variable that it is given", ({ container, settings }) => {
  for (const { name } of container.env ?? [])
    expect([...Object.keys(settings.shape), ...nodeVariables]).toContain(baseOf(name, settings.secrets));
});

test.each(serviceContainers)(
  "$title is given what it needs, in values that it takes",
  ({ container, settings }) => {
    const given = (container.env ?? []).filter(({ name }) => !nodeVariables.includes(name));
    const environment = Object.fromEntries(
      given.map((variable) => [baseOf(variable.name, settings.secrets), textOf(variable)]),
    );
    expect(() => loadConfig(settings.shape, environment, [])).not.toThrow();
  },
);

/** A value from elsewhere is some text. */
const textOf = ({ value }: Variable): string => value ?? "from-elsewhere";

test.each(serviceContainers)(
  "$title finds each credential where a Secret is mounted",
  ({ pods, container, settings }) => {
    for (const { name, value = "" } of container.env ?? []) {
      if (baseOf(name, settings.secrets) === name) continue;
      const mount = container.volumeMounts?.find(({ mountPath }) => value.startsWith(`${mountPath}/`));
      const volume = pods.spec.volumes?.find((one) => one.name === mount?.name);
      expect(volume?.secret?.secretName, `${name}=${value}`).toMatch(/^flts-/);
    }
  },
);

test.each(serviceContainers)("$title sets no variable twice", ({ container }) => {
  const names = (container.env ?? []).map(({ name }) => name);
  expect(names).toEqual([...new Set(names)]);
});

/** A variable of a workload's first container. */
const variableOf = ({ podsOf }: Deployed, name: string, key: string): string | undefined =>
  podsOf(name).spec.containers[0]?.env?.find((one) => one.name === key)?.value;

test("every family has a trainer with a group of its own, and eval expects exactly these", () => {
  const families = ["ensemble", "gru", "linear", "lstm", "prophet"];
  for (const family of families) {
    const name = `train-${family}`;
    expect(variableOf(oneNode(), name, "MODEL_TYPE")).toBe(family.toUpperCase());
    expect(variableOf(oneNode(), name, "CONSUMER_GROUP_ID")).toBe(name);
  }
  expect(variableOf(oneNode(), "eval", "EXPECTED_MODEL_TYPES")).toBe(families.join(",").toUpperCase());
});

test("one entry is a new trainer, and one that is gone is not waited for", () => {
  const more = deployed({
    set: ['workloads.train-lstm2={"service":"train","env":{"MODEL_TYPE":"LSTM","CONSUMER_GROUP_ID":"g"}}'],
  });
  expect(more.podsOf("train-lstm2").replicas).toBe(1);
  const less = deployed({ set: ["workloads.train-gru.enabled=false"] });
  expect(variableOf(less, "eval", "EXPECTED_MODEL_TYPES")).toBe("ENSEMBLE,LINEAR,LSTM,PROPHET");
});

test.each(serviceContainers.filter(({ container }) => ours(container) === "inference"))(
  "$title keeps V8's own threads out of the way of those that answer",
  ({ container }) => {
    const given = container.env?.find(({ name }) => name === "NODE_OPTIONS");
    expect(given?.value).toBe(servingNodeOptions);
  },
);
