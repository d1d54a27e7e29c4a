/** What a process feels of its own death: nothing after it is done. */
export class Death extends Error {}

export interface Mortality {
  /** The port, as the mortal process sees it. */
  guard<Port extends object>(port: Port): Port;
  /** The same for a single function. */
  guardCall<Args extends readonly unknown[], T>(
    call: (...args: Args) => Promise<T>,
  ): (...args: Args) => Promise<T>;
}

/** A process that dies at its n-th call of any of its ports, counted from 1: before the call does anything, or after it has done everything. */
export function createMortality(nth: number, moment: "before" | "after"): Mortality {
  let calls = 0;
  const guardCall: Mortality["guardCall"] =
    (call) =>
    async (...args) => {
      calls += 1;
      const mine = calls;
      if (mine > nth || (mine === nth && moment === "before")) throw new Death(`died ${moment} call ${nth}`);
      const answer = await call(...args);
      if (mine === nth) throw new Death(`died ${moment} call ${nth}`);
      return answer;
    };
  return {
    guardCall,
    guard: (port) =>
      new Proxy(port, {
        get: (target, name, receiver) => {
          const member: unknown = Reflect.get(target, name, receiver);
          return typeof member === "function" ? guardCall(member as () => Promise<unknown>) : member;
        },
      }),
  };
}
