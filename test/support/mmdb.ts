/** Writes a small database of addresses in MaxMind's format (MMDB 2.0): a search tree of 24-bit records, 16 zero bytes, data, metadata. */
import { writeFileSync } from "node:fs";

type Value = string | number | Value[] | { readonly [key: string]: Value };

/** `places` by IPv4 prefix: `{ "203.0.113.0/24": { country: { iso_code: "DE" } } }`. */
export function writeMmdb(file: string, places: Readonly<Record<string, Value>>): void {
  const data: Buffer[] = [];
  let dataBytes = 0;
  /** Two records for each node: another node, or minus one minus the place of a value in the data. */
  const nodes: [number | undefined, number | undefined][] = [[undefined, undefined]];
  for (const [prefix, value] of Object.entries(places)) {
    const [address = "", length = "32"] = prefix.split("/");
    const bits = address
      .split(".")
      .map((byte) => Number(byte).toString(2).padStart(8, "0"))
      .join("")
      .slice(0, Number(length));
    const encoded = encode(value);
    insert(nodes, bits, -1 - dataBytes);
    data.push(encoded);
    dataBytes += encoded.length;
  }
  const tree = Buffer.alloc(nodes.length * 6);
  for (const [index, node] of nodes.entries()) {
    for (const [side, record] of node.entries()) {
      // No record: the number of nodes. A value: beyond the tree and the 16 bytes after it.
      const written = record === undefined ? nodes.length : record < 0 ? nodes.length + 16 + (-1 - record) : record;
      tree.writeUIntBE(written, index * 6 + side * 3, 3);
    }
  }
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_700_000_000,
    database_type: "Test-City",
    description: { en: "for tests" },
    ip_version: 4,
    languages: ["en"],
    node_count: nodes.length,
    record_size: 24,
  });
  writeFileSync(
    file,
    Buffer.concat([tree, Buffer.alloc(16), ...data, Buffer.from("\xab\xcd\xefMaxMind.com", "latin1"), metadata]),
  );
}

function insert(nodes: [number | undefined, number | undefined][], bits: string, leaf: number): void {
  let at = 0;
  for (const [depth, bit] of [...bits].entries()) {
    const side = Number(bit) as 0 | 1;
    if (depth === bits.length - 1) nodes[at]![side] = leaf;
    else at = nodes[at]![side] ??= nodes.push([undefined, undefined]) - 1;
  }
}

/** Control byte and payload: a type in the high three bits, the size in the low five. Whole numbers are uint32, others doubles. */
function encode(value: Value): Buffer {
  if (typeof value === "string") return Buffer.concat([control(2, Buffer.byteLength(value)), Buffer.from(value)]);
  if (typeof value === "number") {
    const bytes = Buffer.alloc(Number.isInteger(value) ? 4 : 8);
    if (Number.isInteger(value)) bytes.writeUInt32BE(value);
    else bytes.writeDoubleBE(value);
    return Buffer.concat([control(Number.isInteger(value) ? 6 : 3, bytes.length), bytes]);
  }
  if (Array.isArray(value)) return Buffer.concat([control(11, value.length), ...value.map(encode)]);
  const entries = Object.entries(value);
  return Buffer.concat([control(7, entries.length), ...entries.flatMap(([key, item]) => [encode(key), encode(item)])]);
}

function control(type: number, size: number): Buffer {
  if (size >= 29) throw new Error("longer values have another form, which no test needs");
  return type <= 7 ? Buffer.from([(type << 5) | size]) : Buffer.from([size, type - 7]);
}
