/** The opening handshake (RFC 6455 section 4): what a client must say, and the proof that a backend has understood it. */
import { createHash } from "node:crypto";
import { type Refusal, refuse } from "../../contract/problem.ts";
import { hasBody } from "../../http/framing.ts";
import type { RequestFacts } from "../../http/sanitize-headers.ts";

const VERSION = "13";
/** Section 1.3. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** Sixteen bytes in base64 (section 4.1). */
const KEY = /^[A-Za-z0-9+/]{22}==$/;

/** What is wrong with a request that has asked for a WebSocket (section 4.2.1); undefined for a sound one. */
export function faultOfHandshake(facts: RequestFacts): Refusal | undefined {
  const { headers } = facts;
  const versions = headers.all("sec-websocket-version");
  const keys = headers.all("sec-websocket-key");
  // Its bytes would be read as frames.
  if (hasBody(facts)) return malformed("It has a body.");
  if (versions.length !== 1) return malformed("Sec-WebSocket-Version must stand in it once.");
  if (versions[0] !== VERSION) {
    // Section 4.4: the client may try again with a version that is named here. An Upgrade field is what a 426 must have, and
    // Connection must name it (RFC 9110 sections 15.5.22 and 7.8).
    return refuse("upgrade-required", {
      headers: ["sec-websocket-version", VERSION, "upgrade", "websocket", "connection", "upgrade, close"],
    });
  }
  if (keys.length !== 1 || !KEY.test(keys[0]!))
    return malformed("Sec-WebSocket-Key must stand in it once, with 16 bytes in base64.");
  return undefined;
}

function malformed(what: string): Refusal {
  return refuse("bad-request", { detail: `This is no WebSocket handshake. ${what}` });
}

/** The value of Sec-WebSocket-Accept that answers a key (section 4.2.2): only who has read the handshake as one can know it. */
export function acceptFor(key: string): string {
  return createHash("sha1")
    .update(key + GUID)
    .digest("base64");
}
