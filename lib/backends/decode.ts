/** Decodes a backend's answer for hosts that lose its label: bytes called plain must be plain. */
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import type { Decoder } from "./forward.ts";

const DECODERS: Record<string, () => ReturnType<typeof createGunzip>> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

/** Undefined for no encoding, `identity`, and encodings or stacks of them that are not known here: those pass as they are. */
export function decoderFor(contentEncoding: string | undefined): Decoder | undefined {
  const create = contentEncoding === undefined ? undefined : DECODERS[contentEncoding.trim().toLowerCase()];
  if (!create) return undefined;
  const stream = create();
  return {
    start({ chunk, drained, done, failed }) {
      stream.on("data", chunk);
      stream.on("drain", drained);
      stream.on("end", done);
      stream.on("error", failed);
    },
    write: (chunk) => stream.write(chunk),
    end: () => stream.end(),
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    destroy: () => stream.destroy(),
  };
}
