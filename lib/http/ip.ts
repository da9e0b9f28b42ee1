/** IP addresses as text: one spelling for each, so that they can be compared, counted and bound to. */
import { isIP, SocketAddress } from "node:net";

/** The canonical text (RFC 5952), an IPv4-mapped IPv6 address as IPv4, without a zone; undefined where it is no address. */
export function canonicalIp(text: string): string | undefined {
  const address = text.replace(/%.*$/, "");
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return isIP(mapped) === 4 ? mapped : undefined;
  switch (isIP(address)) {
    case 4:
      return address;
    case 6: {
      const { address: canonical } = new SocketAddress({ address, family: "ipv6" });
      // The hexadecimal spelling of a mapped address comes out of the canonical form dotted.
      const dotted = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(canonical)?.[1];
      return dotted ?? canonical;
    }
    default:
      return undefined;
  }
}
