/** Runs operations with at most `limit` of them under way; the others wait for their turn, in order. */
export function createTurns(limit: number): <Result>(operation: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = [];
  let free = limit;
  return async (operation) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await operation();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
