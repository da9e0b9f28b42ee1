/**
 * Passwords as scrypt hashes (RFC 7914) in the PHC string format, as passlib and others write them:
 * `$scrypt$ln=14,r=8,p=5$<salt>$<hash>`, both in base64 without padding.
 */
import { scrypt } from "node:crypto";

export interface PasswordHash {
  readonly cost: HashCost;
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

export interface HashCost {
  /** Binary logarithm of N. */
  readonly ln: number;
  readonly r: number;
  readonly p: number;
}

/** Of the choices that OWASP names as equally strong, the one that takes the least memory: 16 MB. */
const COST: HashCost = { ln: 14, r: 8, p: 5 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;

const PHC = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;
/** N × r × p: less is guessed too soon, more would hold a request up for a second. */
const MIN_WORK = 2 ** 17;
const MAX_WORK = 2 ** 21;
/** 128 × N × r. */
const MAX_MEMORY_BYTES = 128 * 1024 * 1024;

/** Undefined for another text, and for a cost out of bounds. */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const [, ln, r, p, salt, hash] = PHC.exec(text) ?? [];
  if (!salt || !hash) return undefined;
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  const work = 2 ** cost.ln * cost.r * cost.p;
  if (!(work >= MIN_WORK && work <= MAX_WORK && memoryOf(cost) <= MAX_MEMORY_BYTES)) return undefined;
  return { cost, salt: Buffer.from(salt, "base64"), hash: Buffer.from(hash, "base64") };
}

export async function makePasswordHash(password: string, random: (bytes: number) => Uint8Array): Promise<string> {
  const salt = random(SALT_BYTES);
  const hash = await hashPassword(password, { cost: COST, salt, hash: new Uint8Array(HASH_BYTES) });
  const { ln, r, p } = COST;
  return `$scrypt$ln=${ln},r=${r},p=${p}$${base64(salt)}$${base64(hash)}`;
}

/** The hash of a password that is to be compared with `hash`. It runs on another thread. */
export function hashPassword(password: string, { cost, salt, hash }: PasswordHash): Promise<Buffer> {
  const { ln, r, p } = cost;
  // Twice what it needs: OpenSSL counts a little more than 128 × N × r.
  const options = { N: 2 ** ln, r, p, maxmem: 2 * memoryOf(cost) + 1024 * 1024 };
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFC"), salt, hash.length, options, (error, made) => (error ? reject(error) : resolve(made)));
  });
}

function memoryOf({ ln, r }: HashCost): number {
  return 128 * 2 ** ln * r;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replaceAll("=", "");
}
