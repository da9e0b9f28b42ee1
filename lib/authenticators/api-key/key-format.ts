/**
 * How a key looks: `<prefix>_live_`, 30 random characters, and 6 that are a checksum of all before them. The prefix tells a scanner
 * whose key it is that stands in a public repository, the checksum tells a typo from a wrong key without asking anybody.
 */
import { crc32 } from "node:zlib";
import { digestOf } from "../../crypto/credential-digest.ts";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** 178 bits: more than anybody tries. */
const RANDOM_LENGTH = 30;
/** 62^6 is more than 2^32. */
const CHECKSUM_LENGTH = 6;
/** So much of the random part is shown to people; 154 bits stay unknown. */
const HINT_LENGTH = 4;

export type Random = (bytes: number) => Uint8Array;

export interface MadeKey {
  /** Shown once, and kept nowhere. */
  readonly key: string;
  readonly digest: string;
  readonly hint: string;
}

export class KeyFormat {
  /** What every such key begins with. */
  readonly start: string;
  readonly length: number;
  readonly #pattern: RegExp;

  constructor(prefix: string) {
    this.start = `${prefix}_live_`;
    this.length = this.start.length + RANDOM_LENGTH + CHECKSUM_LENGTH;
    this.#pattern = new RegExp(`^${this.start}[0-9A-Za-z]{${RANDOM_LENGTH + CHECKSUM_LENGTH}}$`);
  }

  make(random: Random): MadeKey {
    const body = this.start + randomText(RANDOM_LENGTH, random);
    const key = body + checksumOf(body);
    return { key, digest: digestOf(key), hint: `${body.slice(0, this.start.length + HINT_LENGTH)}…` };
  }

  /** Whether it can be a key. The checksum is no secret, so that how it is compared tells nothing. */
  fits(text: string): boolean {
    if (!this.#pattern.test(text)) return false;
    const body = text.slice(0, -CHECKSUM_LENGTH);
    return text.endsWith(checksumOf(body));
  }
}

/** Of the alphabet, each character as likely as the others: bytes over the last whole multiple of 62 are not used. */
export function randomText(length: number, random: Random): string {
  let text = "";
  while (text.length < length)
    for (const byte of random(length)) if (byte < 248 && text.length < length) text += ALPHABET[byte % 62];
  return text;
}

function checksumOf(body: string): string {
  let rest = crc32(body);
  let text = "";
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    text = ALPHABET[rest % 62] + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}
