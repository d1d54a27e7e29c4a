import { buckets } from "@flts/common/contracts/layout";
import { setting } from "@flts/common/service/config";
import { httpSettings } from "@flts/common/service/http";

/** What the gateway itself is told; process and backend settings are added in `main.ts`. */
export const gatewaySettings = {
  ...httpSettings,
  /** Buckets that clients may write to; a promotion has its own door. */
  UPLOAD_BUCKETS: setting.list([buckets.dataset]),
  /** Buckets that clients may read. */
  DOWNLOAD_BUCKETS: setting.list(Object.values(buckets)),
  /** Largest upload; ten million rows of a station are 2 GiB. */
  UPLOAD_MAX_BYTES: setting.int(4 * 1024 ** 3, { min: 1 }),
};
