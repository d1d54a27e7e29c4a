import { FltsError } from "@flts/common/contracts/errors";
import { buckets } from "@flts/common/contracts/layout";
import { type FoundLetter, findLetters, type LetterFilter } from "@flts/common/housekeeping/dead-letters";
import { type Redriven, readRedrive, redrive } from "@flts/common/housekeeping/redrive";
import { withHome } from "../home.ts";
import { shortTime } from "../terminal/numbers.ts";
import type { Output } from "../terminal/output.ts";
import { renderTable } from "../terminal/table.ts";

const bucket = buckets.promotion;

/** `flts dlq list`: one line each; which of them were redriven, and when. */
export const listLetters = (home: string, filter: LetterFilter, output: Output): Promise<void> =>
  withHome(home, async ({ log, store }) => {
    const letters: ReturnType<typeof summaryOf>[] = [];
    for await (const found of findLetters(log, filter))
      letters.push(summaryOf(found, await readRedrive({ store, bucket }, found)));
    output.say(...lettersText(letters, output));
    output.result({ letters });
  });

/** `flts dlq show`: the letter whole. @throws INPUT_MISSING */
export const showLetter = (home: string, id: string, output: Output): Promise<void> =>
  withHome(home, async ({ log, store }) => {
    for await (const found of findLetters(log, { id })) {
      const redriven = await readRedrive({ store, bucket }, found);
      const letter: unknown = found.letter ?? { value: Buffer.from(found.message.value).toString() };
      output.say(JSON.stringify(letter, null, 2), ...(redriven === null ? [] : [`redriven ${redriven}`]));
      return output.result({ ...summaryOf(found, redriven), letter });
    }
    throw new FltsError(
      "INPUT_MISSING",
      `there is no dead letter ${id}: 'flts dlq list' names those that are`,
    );
  });

/** `flts dlq redrive`: publishes their messages again, each once. @throws INPUT_MISSING when one was named that is not there */
export const redriveLetters = (
  home: string,
  filter: LetterFilter,
  output: Output,
  signal: AbortSignal,
): Promise<void> =>
  withHome(home, async (backends) => {
    const results: { readonly id: string; readonly outcome: Redriven["outcome"] }[] = [];
    for await (const { found, outcome } of redrive({ ...backends, bucket }, filter, signal)) {
      results.push({ id: found.id, outcome });
      output.say(`${found.id}  ${sayings[outcome]}`);
    }
    if (results.length === 0 && filter.id !== undefined)
      throw new FltsError(
        "INPUT_MISSING",
        `there is no dead letter ${filter.id}: 'flts dlq list' names those that are`,
      );
    const published = results.filter(({ outcome }) => outcome === "published").length;
    output.say(`${published} of ${results.length} message(s) published again`);
    output.result({ published, letters: results });
  });

const sayings: Readonly<Record<Redriven["outcome"], string>> = {
  published: "published again",
  before: "was published again before",
  impossible: "stands for no message that can be published: run its job again, or see 'flts dlq show'",
};

const summaryOf = ({ id, code, error, message, letter }: FoundLetter, redriven: string | null) => ({
  id,
  time: new Date(message.publishedAt).toISOString(),
  code,
  attempts: letter?.attempts ?? null,
  key: message.key,
  redriven,
  error,
});

function lettersText(letters: readonly ReturnType<typeof summaryOf>[], { style }: Output): string[] {
  if (letters.length === 0) return ["There are no such dead letters."];
  const columns = ["id", "given up", "code", "redriven", "reason"].map((title) => ({ title }));
  return renderTable(
    columns,
    letters.map(({ id, time, code, redriven, error }) => [
      id,
      shortTime(time),
      code,
      redriven === null ? "–" : shortTime(redriven),
      firstLine(error),
    ]),
    style,
  );
}

const firstLine = (text: string): string => (text.split("\n")[0] ?? "").slice(0, 100);
