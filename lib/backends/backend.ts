/** A backend as the engine runs it: its targets parsed once, and the choice of one for a request. */
import { isIP } from "node:net";
import type { CompiledBackend } from "../config/compiled.ts";
import type { Exchange } from "../exchange.ts";

export interface BackendTarget {
  readonly url: string;
  readonly origin: string;
  /** The value of Host: name and port as the target's URL spells them. */
  readonly host: string;
  /** Without a trailing slash; empty for the root. */
  readonly basePath: string;
  /** The name that its certificate must have (RFC 9110 section 4.3.4), whatever Host says; undefined for an address. */
  readonly serverName: string | undefined;
}

export interface Backend {
  readonly name: string;
  readonly targets: readonly BackendTarget[];
  readonly headers: CompiledBackend["headers"];
  readonly forwardCredential: boolean;
  /** Host goes on as received. */
  readonly preserveHost: boolean;
  pick(exchange: Exchange): BackendTarget | undefined;
}

export function createBackend(compiled: CompiledBackend): Backend {
  const targets = compiled.targets.map(({ url }) => {
    const { origin, host, hostname, pathname } = new URL(url);
    const serverName = isIP(hostname.replace(/^\[|\]$/g, "")) === 0 ? hostname : undefined;
    return Object.freeze({ url, origin, host, basePath: pathname.replace(/\/$/, ""), serverName });
  });
  const all = targets.map((_, index) => index);
  let turn = 0;
  return {
    name: compiled.name,
    targets,
    headers: compiled.headers,
    forwardCredential: compiled.forwardCredential,
    preserveHost: compiled.preserveHost,
    pick({ pool }) {
      if (targets.length === 1) return targets[0];
      const choice = pool ?? all;
      if (choice.length === 0) return undefined;
      turn = (turn + 1) % Number.MAX_SAFE_INTEGER;
      return targets[choice[turn % choice.length]!];
    },
  };
}
