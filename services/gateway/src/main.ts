import { backendSecrets, backendSettings, connectBackends } from "@flts/backends/connect";
import { runService } from "@flts/common/service/service";
import { untilAvailable } from "@flts/common/service/until-available";
import { buildApp } from "./app.ts";
import { gatewaySettings } from "./config.ts";

await runService({
  name: "gateway",
  settings: { ...gatewaySettings, ...backendSettings },
  secrets: backendSecrets,
  start: async ({ config, log, metrics, probes, stopping, onStop }) => {
    const backends = await connectBackends(config);
    onStop("backends", () => backends.close());
    probes.addComponent("store", () => backends.store.ping());
    await untilAvailable({ clock: backends.clock, log, signal: stopping }, "the store", () =>
      backends.store.ping(),
    );
    const app = buildApp({
      store: backends.store,
      log,
      registry: metrics.registry,
      probes,
      logRequests: config.LOG_REQUESTS,
      uploadBuckets: config.UPLOAD_BUCKETS,
      downloadBuckets: config.DOWNLOAD_BUCKETS,
      uploadMaxBytes: config.UPLOAD_MAX_BYTES,
    });
    await app.listen({ port: config.PORT, host: config.HOST });
    onStop("http", () => app.close());
    return { ready: { url: app.listeningOrigin, uploadBuckets: config.UPLOAD_BUCKETS } };
  },
});
