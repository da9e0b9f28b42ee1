/** The gateway's own requests to other services: bounded in time and size, over the same pools as those to backends. */
import type { Dispatcher } from "undici";
import type { Deps, OutboundAnswer, OutboundRequest } from "../contract/deps.ts";
import { HeaderList } from "../http/header-list.ts";
import type { Pools } from "./pools.ts";

export function createOutbound(pools: Pools, nowMs: () => number): Deps["call"] {
  return async ({ url, method = "GET", headers = [], body, timeoutMs, maxBytes }: OutboundRequest): Promise<OutboundAnswer> => {
    const { origin, pathname, search } = new URL(url);
    const answer = await pools.poolFor(origin, timeoutMs, nowMs()).request({
      path: pathname + search,
      method,
      headers: [...headers],
      body: body ?? null,
      signal: AbortSignal.timeout(timeoutMs),
      responseHeaders: "raw",
    });
    // undici types the parsed form alone.
    const pairs = answer.headers as unknown as string[];
    return { status: answer.statusCode, headers: new HeaderList(pairs), body: await bounded(answer.body, maxBytes) };
  };
}

async function bounded(body: Dispatcher.ResponseData["body"], maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  // Leaving the loop by an error destroys the stream, and with it the connection.
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    total += chunk.length;
    if (total > maxBytes) throw new Error(`the answer is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
