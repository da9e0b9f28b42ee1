/** The differences between hosts that the engine minds. */

/** What a host can't do; the rest of the engine is the same on all of them. */
export interface HostTraits {
  readonly name: "node" | "vercel";
  /** False where labels of encoded bodies get lost on the way out (Next): backends are asked for plain bytes. */
  readonly passesContentEncoding: boolean;
  /** False where a body can arrive cut although its length was stated (Next): every byte is counted. */
  readonly trustsContentLength: boolean;
  /** False where a connection can't become a WebSocket (Next keeps the socket to itself). */
  readonly upgrades: boolean;
  /** False where timers stop between requests (Vercel): targets are checked when a scheduler asks for it. */
  readonly hasTimers: boolean;
}
