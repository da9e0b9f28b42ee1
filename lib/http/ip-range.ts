/** CIDR ranges, read strictly, and a set of them in which an address is found by halving. */
import { isIP } from "node:net";
import { canonicalIp } from "./ip.ts";

/** Bounds as hexadecimal digits, 8 for IPv4 and 32 for IPv6: texts of one length compare as the numbers do. */
interface Range {
  readonly first: string;
  readonly last: string;
}

/**
 * The canonical text of a range or a single address; undefined for anything else. Spellings that systems read differently
 * (`010.1.1.1` is 8.1.1.1 to some, `1` is 0.0.0.1) are refused, and so is an address with bits behind its prefix: it is a slip.
 */
export function canonicalRange(text: string): string | undefined {
  const [address = "", bits, ...rest] = text.split("/");
  const family = isIP(address);
  if (family === 0 || address.includes("%") || rest.length > 0) return undefined;
  if (bits !== undefined && !/^(?:0|[1-9]\d{0,2})$/.test(bits)) return undefined;
  const canonical = canonicalIp(address)!;
  const size = canonical.includes(":") ? 128 : 32;
  // A range of mapped addresses is one of IPv4: callers are compared unmapped.
  const length = bits === undefined ? size : Number(bits) - (family === 6 && size === 32 ? 96 : 0);
  if (length < 0 || length > size) return undefined;
  const { first } = boundsOf(canonical, length);
  if (first !== keyOf(canonical)) return undefined;
  return length === size ? canonical : `${canonical}/${length}`;
}

/** Ranges given as `canonicalRange` gives them. */
export class IpRanges {
  readonly #v4: readonly Range[];
  readonly #v6: readonly Range[];

  constructor(texts: readonly string[]) {
    const ranges = texts.map((text) => {
      const [address = "", bits] = text.split("/");
      return boundsOf(address, bits === undefined ? keyOf(address).length * 4 : Number(bits));
    });
    this.#v4 = merged(ranges.filter(({ first }) => first.length === 8));
    this.#v6 = merged(ranges.filter(({ first }) => first.length === 32));
  }

  /** `ip` in canonical text (./ip.ts). */
  has(ip: string): boolean {
    const key = keyOf(ip);
    const ranges = key.length === 8 ? this.#v4 : this.#v6;
    let low = 0;
    let high = ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (ranges[middle]!.first <= key) low = middle + 1;
      else high = middle;
    }
    return low > 0 && key <= ranges[low - 1]!.last;
  }
}

/** In order and without overlaps, so that the last range that begins at or before an address is the only one to look at. */
function merged(ranges: readonly Range[]): readonly Range[] {
  const result: Range[] = [];
  for (const range of ranges.toSorted((a, b) => (a.first < b.first ? -1 : 1))) {
    const before = result.at(-1);
    if (before === undefined || range.first > before.last) result.push(range);
    else if (range.last > before.last) result[result.length - 1] = { first: before.first, last: range.last };
  }
  return result;
}

function boundsOf(address: string, length: number): Range {
  const key = keyOf(address);
  const behind = (1n << BigInt(key.length * 4 - length)) - 1n;
  const number = BigInt(`0x${key}`);
  const text = (value: bigint) => value.toString(16).padStart(key.length, "0");
  return { first: text(number & ~behind), last: text(number | behind) };
}

function keyOf(address: string): string {
  if (!address.includes(":")) return hexOfDotted(address);
  // `::1.2.3.4`, which the canonical form keeps.
  const start = address.lastIndexOf(":") + 1;
  const dotted = address.slice(start);
  const hex = dotted.includes(".") ? hexOfDotted(dotted) : "";
  const plain = hex === "" ? address : `${address.slice(0, start)}${hex.slice(0, 4)}:${hex.slice(4)}`;
  const [head = "", tail] = plain.split("::").map((side) =>
    side
      .split(":")
      .map((group) => (group ? group.padStart(4, "0") : ""))
      .join(""),
  );
  return tail === undefined ? head : head + "0".repeat(32 - head.length - tail.length) + tail;
}

function hexOfDotted(dotted: string): string {
  let hex = "";
  for (const part of dotted.split(".")) hex += Number(part).toString(16).padStart(2, "0");
  return hex;
}
