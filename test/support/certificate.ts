/** A certificate for a TLS server of a test, which is its own authority (RFC 5280), and its key. Made anew for each, so that none is ever out of date. */
import { generateKeyPairSync, sign } from "node:crypto";
import { isIPv4 } from "node:net";

export interface Certificate {
  /** Both in PEM, as `tls.createServer` takes them. */
  readonly cert: string;
  readonly key: string;
}

const DAY_MS = 86_400_000;

/** DER: what it is, how long, and the parts (X.690 section 8.1). */
function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(parts);
  const { length } = body;
  const lengthBytes = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...lengthBytes]), body]);
}

const sequence = (...parts: readonly Uint8Array[]) => der(0x30, ...parts);
const id = (hex: string) => der(0x06, Buffer.from(hex, "hex"));
const number = (value: number) => der(0x02, Buffer.from([value]));
const TRUE = der(0x01, Buffer.from([0xff]));
const time = (ms: number) =>
  der(
    0x17,
    Buffer.from(
      new Date(ms)
        .toISOString()
        .replace(/[-:T]|\.\d+/g, "")
        .slice(2),
    ),
  );
const extension = (name: Uint8Array, ...parts: readonly Uint8Array[]) =>
  sequence(name, ...parts.slice(0, -1), der(0x04, parts.at(-1)!));

const ECDSA_WITH_SHA256 = sequence(id("2a8648ce3d040302"));
const commonName = (text: string) => sequence(der(0x31, sequence(id("550403"), der(0x0c, Buffer.from(text)))));

/** For host names and IPv4 addresses. */
export function certificateFor(...names: readonly string[]): Certificate {
  // Several authorities of one name would be taken for each other.
  const name = commonName(names.join());
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const alternatives = names.map((one) =>
    isIPv4(one) ? der(0x87, Buffer.from(one.split(".").map(Number))) : der(0x82, Buffer.from(one)),
  );
  const signed = sequence(
    der(0xa0, number(2)),
    number(1),
    ECDSA_WITH_SHA256,
    name,
    sequence(time(Date.now() - DAY_MS), time(Date.now() + DAY_MS)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(extension(id("551d13"), TRUE, sequence(TRUE)), extension(id("551d11"), sequence(...alternatives)))),
  );
  const signature = der(0x03, Buffer.from([0]), sign("sha256", signed, privateKey));
  const base64 = Buffer.from(sequence(signed, ECDSA_WITH_SHA256, signature)).toString("base64");
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${base64.match(/.{1,64}/g)!.join("\n")}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
  };
}
