/** Connections to backends: one keep-alive pool per origin, made when first used and renewed from time to time. */
import type { Socket } from "node:net";
import { buildConnector, type Dispatcher, errors, Pool } from "undici";
import { boundedReads } from "./bounded-reads.ts";
import { tolerateContinue } from "./tolerate-continue.ts";

export interface Pools {
  /** The pool for an origin and its connect time-out. */
  poolFor(origin: string, connectMs: number, nowMs: number): Dispatcher;
  /** Lets running requests finish, then closes every connection. */
  close(): Promise<void>;
}

/** A socket idle for longer is closed before it is used again: a frozen instance wakes with dead ones. */
const IDLE_SOCKET_MS = 4_000;
/** For each target. Event streams and slow readers hold one each, so a low bound would let them keep everybody else waiting. */
const MAX_CONNECTIONS = 4096;
/** More than the 16 KB that Node's clients take, less than what breaks most proxies on the way: past it the answer is refused. */
const MAX_HEAD_BYTES = 32 * 1024;
/** Busy connections never idle out, so without an end to pools a name that moves would never be looked up again. */
const POOL_LIFE_MS = 60_000;

interface Slot {
  readonly pool: Pool;
  readonly expiresMs: number;
}

export function createPools(): Pools {
  const byConnectMs = new Map<number, Map<string, Slot>>();
  const closing = new Set<Promise<void>>();

  const retire = ({ pool }: Slot) => {
    // Resolves when its last request has ended, which for an event stream may be hours away.
    const closed = pool.close().finally(() => closing.delete(closed));
    closing.add(closed);
  };

  return {
    poolFor(origin, connectMs, nowMs) {
      let byOrigin = byConnectMs.get(connectMs);
      if (!byOrigin) {
        byOrigin = new Map();
        byConnectMs.set(connectMs, byOrigin);
      }
      const slot = byOrigin.get(origin);
      if (slot && slot.expiresMs > nowMs) return slot.pool;
      if (slot) retire(slot);
      const pool = openPool(origin, connectMs);
      byOrigin.set(origin, { pool, expiresMs: nowMs + POOL_LIFE_MS });
      return pool;
    },
    async close() {
      for (const byOrigin of byConnectMs.values()) for (const slot of byOrigin.values()) retire(slot);
      byConnectMs.clear();
      await Promise.all(closing);
    },
  };
}

function openPool(origin: string, connectMs: number): Pool {
  return new Pool(origin, {
    connections: MAX_CONNECTIONS,
    pipelining: 1,
    keepAliveTimeout: IDLE_SOCKET_MS,
    keepAliveMaxTimeout: IDLE_SOCKET_MS,
    maxHeaderSize: MAX_HEAD_BYTES,
    // Times are given with each request; these would cut what a request leaves open, such as an idle event stream.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: createConnector(connectMs),
    allowH2: false,
  });
}

function createConnector(connectMs: number): buildConnector.connector {
  // undici's own timer is true to about a second.
  const connect = buildConnector({ timeout: 0, allowH2: false, ...boundedReads });
  // Its certificate must be for the name or address in the origin (RFC 9110 section 4.3.4), whatever name a request goes by: left to
  // undici that is Host, by which a caller would choose whose certificate is accepted. In TLS an address is not asked for (RFC 6066 section 3).
  return ({ servername: _, ...options }, done) => {
    // By undici's types it returns nothing; it returns the socket.
    const socket = connect(options, (...[error, connected]) => {
      clearTimeout(timer);
      if (error) {
        done(error, null);
        return;
      }
      done(null, connected);
      tolerateContinue(connected);
    }) as unknown as Socket;
    const timer = setTimeout(() => socket.destroy(new errors.ConnectTimeoutError()), connectMs);
  };
}
