import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { checkPorts } from "@flts/cli/supervisor/ports";
import { createManualClock } from "@flts/testing/manual-clock";
import { expect, onTestFinished, test } from "vitest";

async function takenPort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { server, port: (server.address() as AddressInfo).port };
}

test("a port that stays taken ends in one line that names it and the option that changes it", async () => {
  const { port } = await takenPort();
  const clock = createManualClock();
  const clockRuns = setInterval(() => void clock.advance(500), 1);
  onTestFinished(() => clearInterval(clockRuns));
  await expect(
    checkPorts([{ service: "gateway", port, option: "--gateway-port" }], "127.0.0.1", clock),
  ).rejects.toThrow(
    new RegExp(
      `^port ${port}, which gateway is to listen on, is taken: .* --gateway-port \\(0 takes any free one\\)$`,
    ),
  );
});

test("a port that is given up in time is waited for", async () => {
  const { server, port } = await takenPort();
  const clock = createManualClock();
  const checked = checkPorts([{ service: "gateway", port, option: "--gateway-port" }], "127.0.0.1", clock);
  await expect.poll(() => clock.sleeping()).toBe(1);
  server.close();
  await once(server, "close");
  await clock.advance(100);
  await expect(checked).resolves.toBeUndefined();
});

test("port 0 is always free", async () => {
  await expect(
    checkPorts([{ service: "gateway", port: 0, option: "--gateway-port" }], "127.0.0.1", createManualClock()),
  ).resolves.toBeUndefined();
});
