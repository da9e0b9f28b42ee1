/** Connections to backends: one keep-alive pool per origin, made when first used. */
import { type Dispatcher, Pool } from "undici";

export interface Pools {
  /** The pool for an origin and its connect time-out. */
  poolFor(origin: string, connectMs: number): Dispatcher;
  /** Lets running requests finish, then closes every connection. */
  close(): Promise<void>;
}

/** A socket idle for longer is closed before it is used again: a frozen instance wakes with dead ones. */
const IDLE_SOCKET_MS = 4_000;
const MAX_CONNECTIONS = 512;
const CONNECTION_LIFE_MS = 60_000;
/** Backends may send larger heads than Node's own 16 KB; past this the answer is refused. */
const MAX_HEAD_BYTES = 128 * 1024;

export function createPools(): Pools {
  const pools = new Map<string, Pool>();
  return {
    poolFor(origin, connectMs) {
      const key = `${connectMs} ${origin}`;
      let pool = pools.get(key);
      if (!pool) {
        pool = new Pool(origin, {
          connections: MAX_CONNECTIONS,
          pipelining: 1,
          // A busy connection would otherwise never end, and a name that moves never be looked up again.
          clientTtl: CONNECTION_LIFE_MS,
          keepAliveTimeout: IDLE_SOCKET_MS,
          keepAliveMaxTimeout: IDLE_SOCKET_MS,
          maxHeaderSize: MAX_HEAD_BYTES,
          // Times are given with each request; these would cut what a request leaves open, such as an idle event stream.
          headersTimeout: 0,
          bodyTimeout: 0,
          connect: { timeout: connectMs },
          allowH2: false,
        });
        pools.set(key, pool);
      }
      return pool;
    },
    async close() {
      const open = [...pools.values()];
      pools.clear();
      await Promise.all(open.map((pool) => pool.close()));
    },
  };
}
