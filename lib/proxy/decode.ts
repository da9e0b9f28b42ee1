/** Decodes a backend's answer for hosts that lose its label: bytes called plain must be plain. */
import { pipeline, type Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";

/** Turns encoded chunks into plain ones. A small chunk may become a very large one ("zip bomb"), so both ends can be held. */
export interface Decoder {
  start(events: { chunk(bytes: Uint8Array): void; drained(): void; done(): void; failed(error: Error): void }): void;
  /** False: wait for `drained`. */
  write(chunk: Uint8Array): boolean;
  end(): void;
  pause(): void;
  resume(): void;
  destroy(): void;
}

const DECODERS: Record<string, () => Transform> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

/** Undefined where the bytes are plain already; "unknown" where they can't be made so. */
export function decoderFor(contentEncoding: string | undefined): Decoder | undefined | "unknown" {
  const codings = (contentEncoding ?? "")
    .toLowerCase()
    .split(",")
    .map((coding) => coding.trim())
    .filter((coding) => coding !== "" && coding !== "identity");
  if (codings.length === 0) return undefined;
  if (!codings.every((coding) => Object.hasOwn(DECODERS, coding))) return "unknown";
  // Listed in the order in which they were applied (RFC 9110 section 8.4).
  const streams = codings.reverse().map((coding) => DECODERS[coding]!());
  const first = streams[0]!;
  const last = streams.at(-1)!;
  return {
    start({ chunk, drained, done, failed }) {
      if (streams.length > 1) pipeline(streams, (error) => error && failed(error));
      else first.on("error", failed);
      first.on("drain", drained);
      last.on("data", chunk);
      last.on("end", done);
    },
    write: (chunk) => first.write(chunk),
    end: () => first.end(),
    pause: () => last.pause(),
    resume: () => last.resume(),
    destroy: () => streams.forEach((stream) => stream.destroy()),
  };
}
