/**
 * A 100 (Continue) that nobody asked for. A client must take any number of 1xx answers, expected or not (RFC 9110 section 15.2);
 * undici's parser breaks the connection on a 100 and passes every other 1xx on, to a handler that ignores them.
 */
import type { Socket } from "node:net";

/** undici's HTTP/1.1 parser, as far as it is used here. */
interface ResponseParser {
  onHeadersComplete(status: number, upgrade: boolean, shouldKeepAlive: boolean): number;
}

/** For a connection that undici has taken over. */
export function tolerateContinue(socket: Socket): void {
  const parser = parserOf(socket);
  if (parser) parser.onHeadersComplete = onHeadersComplete;
}

/** To undici, a 100 is 102 (Processing): as empty, and as little of an answer. */
function onHeadersComplete(this: ResponseParser, status: number, upgrade: boolean, shouldKeepAlive: boolean): number {
  const { onHeadersComplete: original } = Object.getPrototypeOf(this) as ResponseParser;
  return original.call(this, status === 100 ? 102 : status, upgrade, shouldKeepAlive);
}

/** undici keeps it under a symbol that it does not export. */
function parserOf(socket: Socket): ResponseParser | undefined {
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === "parser");
  return symbol && (socket as unknown as Record<symbol, ResponseParser | undefined>)[symbol];
}
