/** The reference for the Vercel shape, back half: a catch-all handler that forwards through undici, and nothing else. */
import { Readable } from "node:stream";
import { Pool } from "undici";

export const dynamic = "force-dynamic";

/** RFC 9110 section 7.6.1, and Host, which is the backend's. */
const NOT_SENT_ON = new Set([
  "connection",
  "host",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
let pool;

async function handle(request) {
  pool ??= new Pool(process.env.BACKEND);
  const { pathname, search } = new URL(request.url);
  const headers = {};
  for (const [name, value] of request.headers) if (!NOT_SENT_ON.has(name)) headers[name] = value;
  const body = request.body && Readable.fromWeb(request.body);
  const { signal } = request;
  const answer = await pool.request({ path: pathname + search, method: request.method, headers, body, signal });
  const fields = [];
  for (const [name, value] of Object.entries(answer.headers)) {
    if (!NOT_SENT_ON.has(name)) for (const each of [value].flat()) fields.push([name, each]);
  }
  const hasBody = request.method !== "HEAD" && answer.statusCode !== 204 && answer.statusCode !== 304;
  return new Response(hasBody ? Readable.toWeb(answer.body) : null, { status: answer.statusCode, headers: fields });
}

export { handle as DELETE, handle as GET, handle as HEAD, handle as OPTIONS, handle as PATCH, handle as POST, handle as PUT };
