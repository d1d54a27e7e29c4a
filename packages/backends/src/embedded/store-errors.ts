import { FltsError } from "@flts/common/contracts/errors";
import { hasErrno } from "./disk.ts";

/**
 * Runs an operation of the folder store and translates the operating system's errors; all others pass.
 * @throws STORE_FORBIDDEN, OBJECT_NAME_INVALID, STORE_UNAVAILABLE
 */
export async function inStoreTerms<Result>(
  subject: string,
  operation: () => Promise<Result>,
): Promise<Result> {
  try {
    return await operation();
  } catch (error) {
    if (hasErrno(error, "EACCES", "EPERM", "EROFS")) {
      const text = `The folder store is not allowed to do this: check the folder's owner and mode (${subject})`;
      throw new FltsError("STORE_FORBIDDEN", text, error);
    }
    if (hasErrno(error, "ENAMETOOLONG")) {
      throw new FltsError(
        "OBJECT_NAME_INVALID",
        `The key is too long for this file system (${subject})`,
        error,
      );
    }
    if (hasErrno(error)) {
      throw new FltsError(
        "STORE_UNAVAILABLE",
        `The folder store failed: ${error.message} (${subject})`,
        error,
      );
    }
    throw error;
  }
}
