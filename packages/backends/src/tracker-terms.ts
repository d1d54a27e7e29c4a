import { FltsError, hasCode } from "@flts/common/contracts/errors";

/** The trouble of the store beneath a tracker is the tracker's to its callers. */
export async function inTrackerTerms<Result>(operation: () => Promise<Result>): Promise<Result> {
  try {
    return await operation();
  } catch (error) {
    if (!hasCode(error, "STORE_UNAVAILABLE")) throw error;
    throw new FltsError(
      "TRACKER_UNAVAILABLE",
      `The run tracker's store does not answer: ${error.message}`,
      error,
    );
  }
}
