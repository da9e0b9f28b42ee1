/** The backend of the bench: a small JSON answer with the fields that an API usually sends. `PORT=… node bench/backend.ts` */
import { createServer } from "node:http";
import { ANSWER } from "./answer.ts";

const fields = {
  "content-type": "application/json",
  "content-length": ANSWER.length,
  etag: '"1"',
  "cache-control": "private, max-age=5",
};

/** Below /shared: what a cache may keep for longer than a bench lasts. */
const sharedFields = { ...fields, "cache-control": "public, max-age=86400" };

/** Longer than a server that shares its core with all others may be held up: what it takes for idle must not be closed meanwhile. */
const KEEP_ALIVE_MS = 60_000;

createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, ({ url }, response) => {
  response.writeHead(200, url!.startsWith("/shared/") ? sharedFields : fields).end(ANSWER);
}).listen(Number(process.env.PORT), "127.0.0.1");
