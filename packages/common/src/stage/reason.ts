/** Characters of an error's text that travel in messages: a schema's complaints about a hostile message can be longer than the message. */
const MAX_CHARACTERS = 4_096;

/** Why something failed, for people, and never longer than a message can carry. */
export function reasonOf(error: unknown): string {
  const text = (error instanceof Error ? error.message : String(error)).toWellFormed();
  if (text.length <= MAX_CHARACTERS) return text;
  return `${text.slice(0, MAX_CHARACTERS).toWellFormed()}… (${text.length - MAX_CHARACTERS} more characters)`;
}
