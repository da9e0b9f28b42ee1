/** A service whose bodies take their time: events one by one, a slow download, an upload that is counted as it comes, a model that says little. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { answerJson } from "./answer.ts";

const TICK_MS = 500;
const MAX_TICKS = 120;
const MAX_MEGABYTES = 100;
/** 64 kB every 25 ms: 2.5 MB a second. */
const CHUNK_BYTES = 64_000;
const CHUNK_MS = 25;

export function createStreams(): Server {
  return createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url!, "http://streams");
    const given = (name: string, standard: number, most: number) =>
      Math.max(1, Math.min(Math.trunc(Number(searchParams.get(name) ?? standard)) || standard, most));
    if (pathname === "/events") await sendEvents(response, given("count", 10, MAX_TICKS));
    else if (pathname === "/download") await sendSlowly(response, given("mb", 5, MAX_MEGABYTES) * 1_000_000);
    else if (pathname === "/upload") await receive(request, response);
    else if (pathname === "/chat") await chat(request, response);
    else answerJson(response, 404, { error: "there are /events, /download, /upload and /chat" });
  });
}

async function sendEvents(response: ServerResponse, count: number): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  for (let tick = 1; tick <= count && !response.destroyed; tick += 1) {
    response.write(`id: ${tick}\nevent: tick\ndata: ${new Date().toISOString()}\n\n`);
    if (tick < count) await wait(TICK_MS);
  }
  response.end();
}

/** In the form of OpenAI's chat completions, which tell the usage of a stream only where they are asked to. */
async function chat(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = "";
  for await (const chunk of request) body += chunk;
  const usage = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 };
  if (!body.includes('"stream":true'))
    return answerJson(response, 200, { choices: [{ message: { content: "Welcome in." } }], usage });
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  for (const content of ["Welcome", " in", "."]) {
    response.write(`data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`);
    await wait(CHUNK_MS);
  }
  if (body.includes('"include_usage":true')) response.write(`data: ${JSON.stringify({ choices: [], usage })}\n\n`);
  response.end("data: [DONE]\n\n");
}

async function sendSlowly(response: ServerResponse, bytes: number): Promise<void> {
  const body = Buffer.alloc(bytes, "frontdesk ");
  const sha256 = createHash("sha256").update(body).digest("hex");
  response.writeHead(200, { "content-type": "application/octet-stream", "content-length": bytes, "x-sha256": sha256 });
  for (let sent = 0; sent < bytes && !response.destroyed; sent += CHUNK_BYTES) {
    response.write(body.subarray(sent, sent + CHUNK_BYTES));
    await wait(CHUNK_MS);
  }
  response.end();
}

async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      hash.update(chunk);
    }
  } catch {
    // The upload broke off: nobody is left to be told.
    return;
  }
  answerJson(response, 200, { bytes, sha256: hash.digest("hex") });
}
