/** IP addresses as text: one spelling for each, so that they can be compared, counted and bound to. */
import { isIP, SocketAddress } from "node:net";

/** The canonical text (RFC 5952), an IPv4-mapped IPv6 address as IPv4, without a zone; undefined where it is no address. */
export function canonicalIp(text: string): string | undefined {
  const zone = text.indexOf("%");
  const address = zone < 0 ? text : text.slice(0, zone);
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

/**
 * What is counted as one place on the network, of canonical text: an IPv4 address, or the /64 of an IPv6 one. A network hands its
 * customers whole /64s, so that whoever has one could come from 2^64 addresses.
 */
export function networkOf(ip: string): string {
  if (!ip.includes(":")) return ip;
  const [head = "", tail] = ip.split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined && groups.length < 4) {
    const behind = tail === "" ? [] : tail.split(":");
    // `::192.0.2.1` ends in two groups that are written as an address.
    const left = 8 - groups.length - behind.length - (tail.includes(".") ? 1 : 0);
    for (let i = 0; i < left; i++) groups.push("0");
    groups.push(...behind);
  }
  return `${groups.slice(0, 4).join(":")}::/64`;
}

/** Of canonical text, without what tells one household from the next: the /24 of an IPv4 address, the /48 of an IPv6 one. */
export function truncateIp(ip: string): string {
  if (!ip.includes(":")) return `${ip.slice(0, ip.lastIndexOf("."))}.0`;
  return `${networkOf(ip).split(":").slice(0, 3).join(":")}::`;
}
