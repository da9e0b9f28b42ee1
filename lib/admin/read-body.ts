/** The body of a request to the gateway's own endpoints: whole, in memory, and bounded. */
import type { Clock } from "../contract/deps.ts";
import { type Refusal, refuse } from "../contract/problem.ts";
import type { RequestContext } from "../engine/request-context.ts";
import { BodyFault, CountedBody, collectBody } from "../proxy/request-body.ts";

/** Empty where none was sent. */
export async function readBody(
  { request, facts }: RequestContext,
  maxBytes: number,
  clock: Clock,
): Promise<Uint8Array | Refusal> {
  if (!request.body) return new Uint8Array();
  try {
    return await collectBody(
      new CountedBody(request.body, { maxBytes, statedBytes: facts.contentLength, clock, onBytes: () => {} }),
    );
  } catch (error) {
    if (error instanceof BodyFault) return refuse(error.code, { detail: error.message });
    throw error;
  }
}
