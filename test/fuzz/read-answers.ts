/** Reads what a client got, as strictly as RFC 9112 allows, and knows nothing of node:http or of the gateway. */

export interface ReadAnswer {
  readonly status: number;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly isWhole: boolean;
}

export interface ReadAnswers {
  /** Final ones. */
  readonly answers: readonly ReadAnswer[];
  /** The connection became another protocol's. */
  readonly hasSwitched: boolean;
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const FIELD_VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;
const STATUS_LINE = /^HTTP\/1\.1 ([1-9]\d\d) ([\t\x20-\x7e\x80-\xff]*)$/;

/** `methods` of the requests in their order; where one is not known, no more is read after its answer. Throws where the grammar is broken. */
export function readAnswers(bytes: string, methods: readonly string[], isOver: boolean): ReadAnswers {
  const answers: ReadAnswer[] = [];
  let rest = bytes;
  while (rest.length > 0) {
    const end = rest.indexOf("\r\n\r\n");
    if (end < 0) {
      if (!STATUS_LINE.test(rest.split("\r\n")[0]!) && rest.includes("\r\n")) fault("no status line", rest);
      break;
    }
    const head = readHead(rest.slice(0, end));
    rest = rest.slice(end + 4);
    if (head.status === 101) return { answers, hasSwitched: true };
    if (head.status < 200) {
      if (head.length !== undefined || head.isChunked) fault("an interim answer with a body", bytes);
      continue;
    }
    const method = methods[answers.length];
    const { body, left } = readBody(head, method, rest, isOver);
    answers.push({ status: head.status, fields: head.fields, body, isWhole: left !== undefined });
    if (left === undefined || method === undefined) break;
    rest = left;
  }
  return { answers, hasSwitched: false };
}

function readHead(text: string) {
  const [line = "", ...lines] = text.split("\r\n");
  const [, status] = STATUS_LINE.exec(line) ?? fault("no status line", text);
  const fields = lines.map((field): readonly [string, string] => {
    const colon = field.indexOf(":");
    const [name, value] = [field.slice(0, colon), field.slice(colon + 1).replace(/^[ \t]*|[ \t]*$/g, "")];
    if (colon < 1 || !TOKEN.test(name) || !FIELD_VALUE.test(value)) fault("a bad field line", field);
    return [name.toLowerCase(), value];
  });
  const values = (wanted: string) => fields.filter(([name]) => name === wanted).map(([, value]) => value);
  const [lengths, codings] = [values("content-length"), values("transfer-encoding")];
  if (lengths.length + codings.length > 1) fault("two framings", text);
  if (lengths[0] !== undefined && !/^\d+$/.test(lengths[0])) fault("a Content-Length that is no number", text);
  if (codings[0] !== undefined && codings[0] !== "chunked") fault("an unknown transfer coding", text);
  const length = lengths[0] === undefined ? undefined : Number(lengths[0]);
  // RFC 9110 section 8.6, RFC 9112 section 6.1.
  if (status === "204" && (length !== undefined || codings.length > 0)) fault("a 204 with framing", text);
  return { status: Number(status), fields, length, isChunked: codings.length > 0 };
}

/** RFC 9112 section 6.3. `left` is undefined where the body has not ended. */
function readBody(
  { status, length, isChunked }: ReturnType<typeof readHead>,
  method: string | undefined,
  bytes: string,
  isOver: boolean,
): { body: string; left: string | undefined } {
  if (method === "HEAD" || status === 204 || status === 304) return { body: "", left: bytes };
  if (isChunked) return readChunks(bytes);
  if (length !== undefined)
    return { body: bytes.slice(0, length), left: bytes.length < length ? undefined : bytes.slice(length) };
  return { body: bytes, left: isOver ? "" : undefined };
}

function readChunks(bytes: string): { body: string; left: string | undefined } {
  const pieces: string[] = [];
  for (let at = 0; ; ) {
    const end = bytes.indexOf("\r\n", at);
    if (end < 0) return { body: pieces.join(""), left: undefined };
    const line = bytes.slice(at, end);
    if (!/^[0-9a-f]{1,8}$/i.test(line)) fault("a bad chunk size", line);
    const size = Number.parseInt(line, 16);
    if (size === 0) {
      // Trailer fields, up to the empty line.
      const stop = bytes.startsWith("\r\n", end + 2) ? end + 4 : bytes.indexOf("\r\n\r\n", end) + 4;
      return { body: pieces.join(""), left: stop < 4 || bytes.length < stop ? undefined : bytes.slice(stop) };
    }
    pieces.push(bytes.slice(end + 2, end + 2 + size));
    at = end + 4 + size;
    if (bytes.length < at) return { body: pieces.join(""), left: undefined };
    if (bytes.slice(at - 2, at) !== "\r\n") fault("a chunk that is longer than its size", line);
  }
}

function fault(what: string, where: string): never {
  throw new Error(`${what} in ${JSON.stringify(where.slice(0, 500))}`);
}
