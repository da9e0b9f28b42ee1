/** A backend as the engine runs it: its targets parsed once, and the choice of one for a request. */
import type { CompiledBackend } from "../config/compiled.ts";
import type { Exchange } from "../exchange.ts";

export interface BackendTarget {
  readonly url: string;
  readonly origin: string;
  /** The value of Host: name and port as the target's URL spells them. */
  readonly host: string;
  /** Without a trailing slash; empty for the root. */
  readonly basePath: string;
}

export interface Backend {
  readonly name: string;
  readonly targets: readonly BackendTarget[];
  readonly headers: CompiledBackend["headers"];
  readonly forwardCredential: boolean;
  pick(exchange: Exchange): BackendTarget | undefined;
}

export function createBackend(compiled: CompiledBackend): Backend {
  const targets = compiled.targets.map(({ url }) => {
    const { origin, host, pathname } = new URL(url);
    return Object.freeze({ url, origin, host, basePath: pathname.replace(/\/$/, "") });
  });
  const all = targets.map((_, index) => index);
  let turn = 0;
  return {
    name: compiled.name,
    targets,
    headers: compiled.headers,
    forwardCredential: compiled.forwardCredential,
    pick({ pool }) {
      if (targets.length === 1) return targets[0];
      const choice = pool ?? all;
      if (choice.length === 0) return undefined;
      turn = (turn + 1) % Number.MAX_SAFE_INTEGER;
      return targets[choice[turn % choice.length]!];
    },
  };
}
