/** Where the answer to a WebSocket handshake goes: an answer like any other, or the connection itself. */
import type { Duplex } from "node:stream";
import type { Sink } from "../../contract/sink.ts";

export interface UpgradeSink extends Sink {
  /** Sends 101 with these fields and hands over the caller's connection, with what has come on it already. */
  switchProtocols(pairs: string[]): Duplex;
  /** Called when the host ends; at once where it is ending already. */
  set onShutdown(listener: () => void);
}

export function isUpgradeSink(sink: Sink): sink is UpgradeSink {
  return "switchProtocols" in sink;
}
