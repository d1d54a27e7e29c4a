/** The names of a port's operations that answer with a promise. */
type Operation<Port> = {
  [Name in keyof Port]: Port[Name] extends (...args: never[]) => Promise<unknown> ? Name : never;
}[keyof Port];

export interface Faults<Port> {
  /** The port, faults included. */
  readonly port: Port;
  /** The next `times` calls of the operation fail before anything is done. */
  failNext(operation: Operation<Port>, error: Error, times?: number): void;
  /** The next call of the operation is carried out, and then its answer is lost. */
  loseNextAnswer(operation: Operation<Port>, error: Error): void;
}

/** Wraps a port so that a test can make its next operations fail in the two ways that networks do. */
export function withFaults<Port extends object>(port: Port): Faults<Port> {
  const refused = new Map<PropertyKey, Error[]>();
  const lost = new Map<PropertyKey, Error[]>();
  return {
    port: new Proxy(port, {
      get: (target, name, receiver) => {
        const member: unknown = Reflect.get(target, name, receiver);
        if (typeof member !== "function") return member;
        return (...args: unknown[]): unknown => {
          const refusal = refused.get(name)?.shift();
          if (refusal) return Promise.reject(refusal);
          const answer: unknown = Reflect.apply(member, target, args);
          const loss = lost.get(name)?.shift();
          return loss ? Promise.resolve(answer).then(() => Promise.reject(loss)) : answer;
        };
      },
    }),
    failNext: (operation, error, times = 1) => add(refused, operation, Array<Error>(times).fill(error)),
    loseNextAnswer: (operation, error) => add(lost, operation, [error]),
  };
}

function add(plan: Map<PropertyKey, Error[]>, operation: PropertyKey, errors: readonly Error[]): void {
  plan.set(operation, [...(plan.get(operation) ?? []), ...errors]);
}
