/** One connection to a Redis server that speaks RESP2: commands out, replies back in order. */
import { connect, type Socket } from "node:net";

export type RespValue = string | number | null | RedisError | { readonly status: string } | readonly RespValue[];

export class RedisError {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

export class RespConnection {
  readonly #socket: Socket;
  readonly #waiting: { resolve(value: RespValue): void; reject(error: Error): void }[] = [];
  #buffer: Buffer = Buffer.alloc(0);

  constructor(port: number) {
    this.#socket = connect(port, "127.0.0.1");
    this.#socket.setNoDelay(true);
    this.#socket.on("data", (chunk) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk]);
      this.#drain();
    });
    this.#socket.on("error", (error) => this.#fail(error));
    this.#socket.on("close", () => this.#fail(new Error("Redis closed the connection")));
  }

  send(command: readonly string[]): Promise<RespValue> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new Error("Redis closed the connection"));
      this.#waiting.push({ resolve, reject });
      const parts = command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`);
      this.#socket.write(`*${command.length}\r\n${parts.join("")}`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  #drain(): void {
    for (;;) {
      const parsed = parse(this.#buffer, 0);
      if (!parsed) return;
      this.#buffer = this.#buffer.subarray(parsed.end);
      this.#waiting.shift()?.resolve(parsed.value);
    }
  }
}

/** One value from `start`; undefined where the rest of it has not arrived. */
function parse(buffer: Buffer, start: number): { value: RespValue; end: number } | undefined {
  const lineEnd = buffer.indexOf("\r\n", start);
  if (lineEnd < 0) return undefined;
  const line = buffer.toString("utf8", start + 1, lineEnd);
  const end = lineEnd + 2;
  switch (String.fromCharCode(buffer[start]!)) {
    case "+":
      return { value: { status: line }, end };
    case "-":
      return { value: new RedisError(line), end };
    case ":":
      return { value: Number(line), end };
    case "$": {
      const length = Number(line);
      if (length < 0) return { value: null, end };
      if (buffer.length < end + length + 2) return undefined;
      return { value: buffer.toString("utf8", end, end + length), end: end + length + 2 };
    }
    case "*": {
      if (Number(line) < 0) return { value: null, end };
      const values: RespValue[] = [];
      let next = end;
      for (let left = Number(line); left > 0; left--) {
        const item = parse(buffer, next);
        if (!item) return undefined;
        values.push(item.value);
        next = item.end;
      }
      return { value: values, end: next };
    }
    default:
      throw new Error("not RESP2");
  }
}
