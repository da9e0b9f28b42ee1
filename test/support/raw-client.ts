/** An HTTP/1.1 client on a bare socket: it sends exactly the bytes it is given and keeps exactly those that come back. */
import { connect, type Socket } from "node:net";
import { HeaderList } from "#lib/http/header-list.ts";

export interface RawHead {
  readonly status: number;
  readonly statusText: string;
  readonly headers: HeaderList;
}

export interface RawAnswer extends RawHead {
  /** Without its framing. */
  readonly body: Buffer;
  /** False where the connection broke before the body's own framing said that it was over. */
  readonly isWhole: boolean;
}

export interface RawRequest {
  readonly method?: string;
  readonly target: string;
  /** Name, value, name, value; Host is added where it is missing, Content-Length where there is a body without framing. */
  readonly headers?: readonly string[];
  readonly body?: string | Uint8Array;
}

export const HOST = "gateway.example";

/** The bytes of a request as a well-behaved client would send them. */
export function requestBytes({ method = "GET", target, headers = [], body }: RawRequest): Buffer {
  const list = new HeaderList([...headers]);
  if (!list.has("host")) list.pairs.unshift("Host", HOST);
  if (body !== undefined && !list.has("content-length") && !list.has("transfer-encoding")) {
    list.append("Content-Length", String(Buffer.byteLength(body)));
  }
  const lines = [`${method} ${target} HTTP/1.1`, ...[...list].map(([name, value]) => `${name}: ${value}`)];
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), Buffer.from(body ?? "")]);
}

/** One request on a connection of its own. */
export async function sendRaw(port: number, request: RawRequest): Promise<RawAnswer> {
  const connection = await RawConnection.open(port);
  try {
    connection.write(requestBytes(request));
    return await connection.readAnswer(request.method);
  } finally {
    connection.close();
  }
}

export class RawConnection {
  readonly socket: Socket;
  #chunks: Buffer[] = [];
  #receivedBytes = 0;
  #isOver = false;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (bytes: Buffer) => {
      this.#chunks.push(bytes);
      this.#receivedBytes += bytes.length;
      this.#wake?.();
    });
    // A reset is an end like any other here: `isWhole` tells whether it came too early.
    socket.on("error", () => {});
    for (const event of ["end", "close"]) {
      socket.on(event, () => {
        this.#isOver = true;
        this.#wake?.();
      });
    }
  }

  static open(port: number): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: "127.0.0.1", noDelay: true });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new RawConnection(socket));
      });
    });
  }

  /** Joined only when it is looked at: joining at each chunk would take the square of a download's time. */
  get #received(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0]!;
  }

  #drop(bytes: number): void {
    this.#chunks = [this.#received.subarray(bytes)];
    this.#receivedBytes -= bytes;
  }

  write(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  close(): void {
    this.socket.destroy();
  }

  /** Resolves when the other side has closed the connection. */
  async closed(): Promise<void> {
    while (!this.#isOver) await this.#more();
  }

  async readHead(): Promise<RawHead> {
    for (;;) {
      let end = this.#received.indexOf("\r\n\r\n");
      while (end < 0) {
        if (this.#isOver)
          throw new Error(`the connection ended within a head: ${JSON.stringify(this.#received.toString("latin1"))}`);
        await this.#more();
        end = this.#received.indexOf("\r\n\r\n");
      }
      const head = parseHead(this.#received.subarray(0, end).toString("latin1"));
      this.#drop(end + 4);
      if (head.status >= 200) return head;
    }
  }

  /** What has come of the body so far, framing included, as soon as it holds `text`. */
  async readUntil(text: string): Promise<string> {
    while (!this.#received.includes(text)) {
      if (this.#isOver) throw new Error(`the connection ended before ${JSON.stringify(text)} came`);
      await this.#more();
    }
    return this.#received.toString("latin1");
  }

  async readAnswer(method = "GET"): Promise<RawAnswer> {
    const head = await this.readHead();
    return { ...head, ...(await this.readBody(head, method)) };
  }

  /** RFC 9112 section 6.3, from the client's side. */
  async readBody({ status, headers }: RawHead, method = "GET"): Promise<Pick<RawAnswer, "body" | "isWhole">> {
    if (method === "HEAD" || status === 204 || status === 304) return { body: Buffer.alloc(0), isWhole: true };
    if (/\bchunked\s*$/i.test(headers.get("transfer-encoding") ?? "")) return this.#readChunks();
    const length = headers.get("content-length");
    if (length !== undefined) return this.#take(Number(length));
    await this.closed();
    return { body: this.#received, isWhole: true };
  }

  async #readChunks(): Promise<Pick<RawAnswer, "body" | "isWhole">> {
    const chunks: Buffer[] = [];
    for (;;) {
      const line = await this.#line();
      const size = line === undefined ? Number.NaN : Number.parseInt(line, 16);
      if (Number.isNaN(size)) return { body: Buffer.concat(chunks), isWhole: false };
      if (size === 0) {
        // Trailer fields, up to the empty line.
        for (let field = await this.#line(); field !== ""; field = await this.#line()) {
          if (field === undefined) return { body: Buffer.concat(chunks), isWhole: false };
        }
        return { body: Buffer.concat(chunks), isWhole: true };
      }
      const { body, isWhole } = await this.#take(size);
      chunks.push(body);
      if (!isWhole || (await this.#line()) !== "") return { body: Buffer.concat(chunks), isWhole: false };
    }
  }

  /** Exactly so many bytes; undefined where the connection ends before. */
  async readBytes(count: number): Promise<Buffer | undefined> {
    const { body, isWhole } = await this.#take(count);
    return isWhole ? body : undefined;
  }

  async #line(): Promise<string | undefined> {
    let end = this.#received.indexOf("\r\n");
    while (end < 0) {
      if (this.#isOver) return undefined;
      await this.#more();
      end = this.#received.indexOf("\r\n");
    }
    const line = this.#received.subarray(0, end).toString("latin1");
    this.#drop(end + 2);
    return line;
  }

  async #take(bytes: number): Promise<{ body: Buffer; isWhole: boolean }> {
    while (this.#receivedBytes < bytes && !this.#isOver) await this.#more();
    const body = this.#received.subarray(0, bytes);
    this.#drop(body.length);
    return { body, isWhole: body.length === bytes };
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

function parseHead(text: string): RawHead {
  const [statusLine = "", ...lines] = text.split("\r\n");
  const [, status, statusText = ""] = /^HTTP\/1\.1 (\d{3}) ?(.*)$/.exec(statusLine) ?? [];
  if (status === undefined) throw new Error(`not a status line: ${JSON.stringify(statusLine)}`);
  const pairs = lines.flatMap((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  return { status: Number(status), statusText, headers: new HeaderList(pairs) };
}
