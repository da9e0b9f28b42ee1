/** Asks OpenAI to tell the usage of a stream: `stream_options.include_usage` where the request streams and did not ask itself. */
import type { BodyTap } from "../../contract/policy.ts";

export class AskForUsage implements BodyTap {
  #chunks: Uint8Array[] = [];

  /** Held until it is whole; no longer than the route's `maxBody`. */
  chunk(bytes: Uint8Array): undefined {
    this.#chunks.push(bytes);
  }

  end(): Uint8Array {
    return withUsage(Buffer.concat(this.#chunks));
  }
}

/** The same bytes but for the option; what is no JSON object passes as it is. */
export function withUsage(body: Buffer): Buffer {
  if (!body.includes('"stream"')) return body;
  const request = parse(body);
  if (request?.["stream"] !== true) return body;
  const options = request["stream_options"];
  const isObject = typeof options === "object" && options !== null && !Array.isArray(options);
  if (isObject && "include_usage" in options && options.include_usage === true) return body;
  // A caller that says `include_usage: false` would have its stream go uncounted.
  if ("stream_options" in request) {
    return Buffer.from(JSON.stringify({ ...request, stream_options: { ...(isObject ? options : {}), include_usage: true } }));
  }
  const brace = body.indexOf("{");
  const rest = body.subarray(brace + 1);
  return Buffer.concat([body.subarray(0, brace + 1), Buffer.from('"stream_options":{"include_usage":true},'), rest]);
}

function parse(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
