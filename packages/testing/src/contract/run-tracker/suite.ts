import type { RunTracker } from "@flts/common/ports/run-tracker";

/** A tracker as the suite meets it. */
export interface TrackerHarness {
  readonly tracker: RunTracker;
  /** The same runs through another client, as another process has it; the tracker itself where there is but one. */
  readonly other: RunTracker;
  close(): Promise<void>;
}

/** What the tests are given: the harness's clients, and an experiment for each test. */
export interface TrackerSuite extends Pick<TrackerHarness, "tracker" | "other"> {
  readonly experiment: string;
  /** Starts a run of the experiment. @returns its id */
  start(tags?: Readonly<Record<string, string>>): Promise<string>;
}

/** The id of a run that nobody started. */
export const absentRun = "0123456789abcdef0123456789abcdef";
