/** Whose request it is: hosts that the gateway and a backend could read as two. */
import { get, passed, refused, type SmugglingCase } from "./smuggling-case.ts";

const bad: readonly (readonly [id: string, lines: string, tries: string])[] = [
  ["none", "X-A: b", "no host in HTTP/1.1"],
  ["twice", "Host: gateway.example\r\nHost: evil.example", "the first here, the last there"],
  ["twice-same", "Host: gateway.example\r\nHost: gateway.example", "twice the same: still not one"],
  ["twice-case", "Host: gateway.example\r\nhOST: evil.example", "two spellings of one name"],
  ["list", "Host: gateway.example, evil.example", "a list, as a proxy may have joined it"],
  ["path", "Host: gateway.example/closed", "a path in the host"],
  ["userinfo", "Host: gateway.example@evil.example", "a name before an @"],
  ["query", "Host: gateway.example?x", "a query in the host"],
  ["fragment", "Host: gateway.example#x", "a fragment in the host"],
  ["space", "Host: gateway.example evil.example", "two hosts with a space between"],
  ["backslash", "Host: gateway.example\\evil", "a backslash, which browsers read as a slash"],
  ["port-words", "Host: gateway.example:http", "a port that is no number"],
  ["port-twice", "Host: gateway.example:80:90", "two ports"],
  ["quote", 'Host: gateway.example"', "a quote, which would end the quoted host in Forwarded"],
  ["semicolon", "Host: gateway.example;proto=https", "a parameter for Forwarded"],
  ["bracket", "Host: [::1", "an address that does not end"],
  ["nul", "Host: gateway.example\x00.evil", "a C string ends at the NUL"],
  ["high-byte", "Host: gat\xe9way.example", "a byte outside of ASCII"],
];

export const HOST_CASES: readonly SmugglingCase[] = [
  ...bad.map(([id, lines, tries]) => ({
    id: `host-${id}`,
    tries,
    rfc: "9112 3.2, 9110 7.2",
    raw: `GET /open HTTP/1.1\r\n${lines}\r\n\r\n`,
    verdict: refused(),
  })),
  ...(
    [
      ["port", "gateway.example:8080", "a port"],
      ["ipv6", "[::1]:8080", "an IPv6 address"],
      ["ipv4", "127.0.0.1", "an IPv4 address"],
      ["capitals", "GateWay.Example", "capitals"],
      ["underscore", "my_app.example", "an underscore, as some intranets have it"],
      ["trailing-dot", "gateway.example.", "a root dot"],
    ] as const
  ).map(([id, host, tries]) => ({
    id: `host-good-${id}`,
    tries: `${tries}: fine, and passed on only as X-Forwarded-Host`,
    rfc: "9110 7.2",
    raw: `GET /open HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
    verdict: passed(get({ "x-forwarded-host": host })),
  })),
  {
    id: "host-empty",
    tries: "an empty host, as for a target without an authority",
    rfc: "9112 3.2",
    raw: "GET /open HTTP/1.1\r\nHost:\r\n\r\n",
    verdict: passed(get()),
  },
];
