/**
 * How the learning rate goes over a training:
 * - `constant`
 * - `linear`: up from zero over the first tenth of all steps, then down to zero (the reference's schedule for transformers)
 * - `cosine`: down to zero along half a cosine (Loshchilov & Hutter 2017, without restarts)
 */
export const learningRateSchedules = ["constant", "linear", "cosine"] as const;
export type LearningRateSchedule = (typeof learningRateSchedules)[number];

const warmUp = 0.1;

const shares: Readonly<Record<LearningRateSchedule, (progress: number) => number>> = {
  constant: () => 1,
  linear: (progress) => Math.min(progress / warmUp, (1 - progress) / (1 - warmUp)),
  cosine: (progress) => (1 + Math.cos(Math.PI * progress)) / 2,
};

/**
 * The learning rate of a step.
 *
 * @param step  from 0 to steps − 1; its middle counts, so that neither the first nor the last step is lost
 */
export function learningRateAt(
  schedule: LearningRateSchedule,
  peak: number,
  step: number,
  steps: number,
): number {
  return peak * shares[schedule]((step + 0.5) / steps);
}
