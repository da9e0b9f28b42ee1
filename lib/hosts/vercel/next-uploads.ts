/**
 * Under plain `next start`, Next takes every upload into memory while the middleware runs, and all of it, whatever the middleware
 * says. Here the bytes that it may hold at once are bounded, and a refused upload is let go of as it comes. On Vercel the
 * platform holds bodies, outside of this process.
 */
import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";

/** In stated lengths. What a process really needs is a few times as much. */
export const HELD_UPLOAD_BYTES = 64 * 1024 * 1024;
/** By this field the middleware, which gets a copy of a request, can name it. Written anew for each, so a client's own is gone. */
export const UPLOAD_FIELD = "x-gateway-upload";

/** Room between the largest `maxBody` and where Next cuts a body, so that a body cut by Next is always seen as too long. */
const MARGIN_BYTES = 1024 * 1024;

/** How much of one body Next may take in. */
export function largestNextBody(maxBodyBytes: number): number {
  return maxBodyBytes + MARGIN_BYTES;
}

interface Upload {
  readonly request: IncomingMessage;
  heldBytes: number;
}

export interface NextUploads {
  /** False where there is no room for the body of this request, which is then let go of. */
  hold(headers: Headers): boolean;
  /** The request has its answer already: nobody will read its body. */
  letGo(headers: Headers): void;
}

/** A body of unknown length counts as the largest that Next takes in, whatever its route would let through. */
export function watchUploads(maxBodyBytes: number): NextUploads {
  const largestBytes = largestNextBody(maxBodyBytes);
  // One upload always has room.
  const boundBytes = Math.max(HELD_UPLOAD_BYTES, largestBytes);
  const byId = new Map<string, Upload>();
  let heldBytes = 0;
  let started = 0;

  const free = (upload: Upload) => {
    heldBytes -= upload.heldBytes;
    upload.heldBytes = 0;
  };
  const drop = (upload: Upload) => {
    free(upload);
    // Next's listener is what keeps the bytes. Read on all the same: Next answers only when the body has ended.
    upload.request.removeAllListeners("data").resume();
  };
  const uploadOf = (headers: Headers) => byId.get(headers.get(UPLOAD_FIELD) ?? "");

  subscribe("http.server.request.start", (message) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    delete request.headers[UPLOAD_FIELD];
    // Next leaves the bodies of these two alone.
    if (request.method === "GET" || request.method === "HEAD") return;
    const id = String(++started);
    const upload: Upload = { request, heldBytes: 0 };
    byId.set(id, upload);
    request.headers[UPLOAD_FIELD] = id;
    response.once("close", () => {
      free(upload);
      byId.delete(id);
    });
  });

  return {
    hold(headers) {
      const upload = uploadOf(headers);
      // It came before the watch began.
      if (!upload) return true;
      const length = headers.get("content-length");
      const bytes = length === null ? (headers.has("transfer-encoding") ? largestBytes : 0) : Number(length);
      // More than that Next drops by itself.
      const needed = Math.min(bytes, largestBytes);
      if (heldBytes + needed > boundBytes) {
        drop(upload);
        return false;
      }
      upload.heldBytes = needed;
      heldBytes += needed;
      return true;
    },
    letGo(headers) {
      const upload = uploadOf(headers);
      if (upload) drop(upload);
    },
  };
}
