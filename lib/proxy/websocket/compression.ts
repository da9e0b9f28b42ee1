/**
 * permessage-deflate (RFC 7692) between a client and a backend, under the bound on a message. The bound is for the message that the
 * backend will read: a compressed one is held until it is known how large that is (decompression bombs).
 */
import { constants, inflateRaw } from "node:zlib";
import type { HeaderList } from "../../http/header-list.ts";
import { payloadOfMessage } from "./frame-reader.ts";

const FIELD = "sec-websocket-extensions";
const DEFLATE = "permessage-deflate";
/** The client's messages then stand for themselves, so that each can be inflated without those before it (section 7.1.1.2). */
const NO_CONTEXT = "client_no_context_takeover";

/** Takes the offers of other extensions away: what they make of a message can't be measured here. */
export function offerDeflateAlone(headers: HeaderList): void {
  const offers = elementsOf(headers);
  if (offers.length === 0) return;
  const kept = offers.filter(isDeflate);
  headers.delete(FIELD);
  if (kept.length > 0) headers.set(FIELD, kept.join(", "));
}

/** What the backend agreed to, said to the client. "unasked" where it is not what was offered (RFC 6455 section 4.1). */
export function agreement(offered: HeaderList, answered: HeaderList): "none" | "deflate" | "unasked" {
  const agreed = elementsOf(answered);
  if (agreed.length === 0) return "none";
  if (agreed.length > 1 || !isDeflate(agreed[0]!) || !elementsOf(offered).some(isDeflate)) return "unasked";
  if (!agreed[0]!.toLowerCase().includes(NO_CONTEXT)) answered.set(FIELD, `${agreed[0]}; ${NO_CONTEXT}`);
  return "deflate";
}

function elementsOf(headers: HeaderList): string[] {
  return headers
    .all(FIELD)
    .flatMap((value) => value.split(","))
    .map((element) => element.trim())
    .filter((element) => element !== "");
}

function isDeflate(element: string): boolean {
  return element.split(";", 1)[0]!.trim().toLowerCase() === DEFLATE;
}

/** Deflate makes at most 1032 bytes of one: 258 of two bits. */
const MAX_RATIO = 1032;
/** What a sender leaves out at a message's end (section 7.2.1). */
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);

export type Inflated = "fits" | "too large" | "not deflated";

/** Whether a compressed message, in frames as they came, has at most so many bytes. At once where its size alone tells. */
export function measure(message: Buffer, maxBytes: number, done: (result: Inflated) => void): void {
  if (message.length * MAX_RATIO <= maxBytes) {
    done("fits");
    return;
  }
  const deflated = Buffer.concat([payloadOfMessage(message), TAIL]);
  const options = { maxOutputLength: maxBytes, finishFlush: constants.Z_SYNC_FLUSH };
  inflateRaw(deflated, options, (error) => {
    if (!error) done("fits");
    else done((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE" ? "too large" : "not deflated");
  });
}
