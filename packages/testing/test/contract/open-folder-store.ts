import { createFolderStore } from "@flts/backends/embedded/folder-store";
import { createSystemRandom } from "@flts/backends/system-random";
import type { ObjectStore } from "@flts/common/ports/object-store";

/** Opens the folder store of a test in any process. */
export const open = ({ folder }: { readonly folder: string }): Promise<ObjectStore> =>
  createFolderStore({ folder, random: createSystemRandom() });
