import { type ErrorCode, hasCode } from "@flts/common/contracts/errors";
import { expect } from "vitest";

/** Expects a promise to fail with a code of the error table, and with a message that says what it should. */
export async function expectCode(
  code: ErrorCode,
  promise: Promise<unknown>,
  message: RegExp = /./,
): Promise<void> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(hasCode(error, code) ? code : error).toBe(code);
  expect((error as Error).message).toMatch(message);
}
