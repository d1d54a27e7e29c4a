import type { ObjectRef, ObjectStore } from "@flts/common/ports/object-store";
import type { Opener } from "../peer.ts";

/** A store as the suite meets it. */
export interface StoreHarness {
  readonly store: ObjectStore;
  /** How other processes open the same store; needed with `sharedByProcesses`. */
  readonly opener?: Opener;
  close(): Promise<void>;
}

export interface StoreCapabilities {
  /** Other processes can open the store. */
  readonly sharedByProcesses: boolean;
  /**
   * An ETag is never used twice, so that a write that expects version A notices A, B, A again. S3's are digests of the bytes:
   * equal bytes, equal ETag.
   */
  readonly etagsNameVersions: boolean;
  /** A key may also be the folder of others (`a` beside `a/b`): more than the port promises. */
  readonly keysBesideFolders: boolean;
}

/** What the parts of the suite share: the store, and a bucket that each test has for itself. */
export interface StoreSuite {
  readonly store: ObjectStore;
  readonly bucket: string;
  readonly opener: Opener | undefined;
  readonly capabilities: StoreCapabilities;
  at(key: string): ObjectRef;
}
