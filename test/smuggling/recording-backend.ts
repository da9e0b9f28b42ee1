/**
 * The judge of the smuggling corpus: a backend on a bare socket that writes down every byte and reads it as strictly as RFC 9112
 * allows. What is not exactly one well-formed request after another is a fault of the gateway's.
 */
import { type AddressInfo, createServer, type Socket } from "node:net";

export interface RecordedRequest {
  readonly method: string;
  readonly target: string;
  /** Name and value as they stood on the wire. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export interface RecordingBackend {
  readonly url: string;
  readonly host: string;
  /** What has come since the last call. A request that broke off before its end is in no list: no backend acts on one. */
  take(): { requests: RecordedRequest[]; faults: string[] };
  close(): void;
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Visible ASCII, obs-text, and spaces within (RFC 9110 section 5.5). */
const FIELD_VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;
const ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-From: backend\r\n\r\nok";

export async function startRecordingBackend(): Promise<RecordingBackend> {
  let requests: RecordedRequest[] = [];
  let faults: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let unread = "";
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      unread += bytes.toString("latin1");
      try {
        for (let read = readRequest(unread); read; read = readRequest(unread)) {
          requests.push(read.request);
          unread = read.rest;
          socket.write(ANSWER);
        }
      } catch (error) {
        faults.push(`${(error as Error).message} in ${JSON.stringify(unread)}`);
        unread = "";
        socket.destroy();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${host}`,
    host,
    take() {
      const taken = { requests, faults };
      [requests, faults] = [[], []];
      return taken;
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** The first whole request and what follows it; undefined while it is not all there. Throws where the grammar is broken. */
export function readRequest(bytes: string): { request: RecordedRequest; rest: string } | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [line = "", ...lines] = bytes.slice(0, end).split("\r\n");
  const [, method, target] = /^(\S+) ([\x21-\x7e\x80-\xff]+) HTTP\/1\.1$/.exec(line) ?? fault("a bad request line");
  if (!TOKEN.test(method!)) fault("a method that is no token");
  const fields = lines.map(readField);
  const values = (name: string) => fields.filter(([spelled]) => spelled.toLowerCase() === name).map(([, value]) => value);
  if (values("host").length !== 1) fault("not exactly one Host");
  const [lengths, codings] = [values("content-length"), values("transfer-encoding")];
  if (lengths.length + codings.length > 1) fault("two framings");
  if (codings[0] !== undefined && codings[0] !== "chunked") fault("an unknown transfer coding");
  if (lengths[0] !== undefined && !/^\d+$/.test(lengths[0])) fault("a Content-Length that is no number");
  const rest = bytes.slice(end + 4);
  const read = codings.length > 0 ? readChunks(rest) : readBytes(rest, Number(lengths[0] ?? 0));
  return read && { request: { method: method!, target: target!, fields, body: read.body }, rest: read.rest };
}

function readField(line: string): readonly [string, string] {
  const colon = line.indexOf(":");
  const [name, value] = [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")];
  if (colon < 1 || !TOKEN.test(name) || !FIELD_VALUE.test(value)) fault(`a bad field line ${JSON.stringify(line)}`);
  return [name, value];
}

function readBytes(bytes: string, length: number): { body: string; rest: string } | undefined {
  return bytes.length < length ? undefined : { body: bytes.slice(0, length), rest: bytes.slice(length) };
}

/** Without extensions and trailers: a gateway has no reason to send either. */
function readChunks(bytes: string): { body: string; rest: string } | undefined {
  let [body, rest] = ["", bytes];
  for (;;) {
    const end = rest.indexOf("\r\n");
    if (end < 0) return undefined;
    if (!/^[0-9a-f]{1,8}$/i.test(rest.slice(0, end))) fault("a bad chunk size");
    const size = Number.parseInt(rest.slice(0, end), 16);
    const chunk = rest.slice(end + 2, end + 4 + size);
    if (chunk.length < size + 2) return undefined;
    if (!chunk.endsWith("\r\n")) fault(size === 0 ? "trailers" : "a chunk that is longer than its size");
    body += chunk.slice(0, size);
    rest = rest.slice(end + 4 + size);
    if (size === 0) return { body, rest };
  }
}

function fault(what: string): never {
  throw new Error(what);
}
