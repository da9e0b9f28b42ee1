/** What the demo prints and its test runs: commands to copy, what each shows, and what its output must hold. */
export interface Curl {
  /** `{gateway}` and `{pid}` stand for the running gateway's address and process, `{key}` for the API key that the demo has made, `{token}` for its admin token. */
  readonly command: string;
  readonly shows: string;
  /** Texts that the output holds. */
  readonly expect: readonly string[];
  /** The command's exit status where it is not 0. */
  readonly exit?: number;
}

export interface CurlGroup {
  readonly title: string;
  readonly curls: readonly Curl[];
}

const THREE_MB_OF_ZEROS_SHA256 = "35bce4eae54ec8e6cc2868baa8d157914d6ae2858811b4cc0c078c94460fa26f";

/** Of `frontdesk ` over and over, 5 MB of it. */
const DOWNLOAD_SHA256 = "aaff43a80f24e709bc78f85917edf42da8a78e024681caf00ae6f603cb6a885e";

export const CURLS: readonly CurlGroup[] = [
  {
    title: "Routes",
    curls: [
      {
        command: "curl -s {gateway}/api/products",
        shows: "a route to a backend; stripPrefix takes /api off",
        expect: ['"region":"us"', '"name":"Guest book"'],
      },
      {
        command: "curl -s -H 'x-region: eu' {gateway}/api/products/2",
        shows: "the same path under a condition: another backend",
        expect: ['"region":"eu"', '"id":2'],
      },
      {
        command: "curl -s {gateway}/p/3",
        shows: "rewrite: /p/3 is /products/3 to the backend",
        expect: ['"region":"eu"', '"name":"Key rack"'],
      },
      {
        command: `curl -si -H 'content-type: application/json' -d '{"name":"Lamp","price":4900}' {gateway}/api/products`,
        shows: "a POST, its body streamed through",
        expect: ["HTTP/1.1 201 Created", '"name":"Lamp"'],
      },
    ],
  },
  {
    title: "Two regions (again with `npm run demo -- --geo DE`: there every caller is in Germany)",
    curls: [
      {
        command: "curl -s {gateway}/regional/products/1",
        shows: "the region of the caller: eu for Europe, us for everyone else",
        expect: ['"region":"us"'],
      },
    ],
  },
  {
    title: "Answers without a backend",
    curls: [
      {
        command: "curl -s {gateway}/hello/Ada",
        shows: "respond, with a value of the request",
        expect: ['{"message":"Hello, Ada!"}'],
      },
      {
        command: "curl -si '{gateway}/shop/2?from=mail'",
        shows: "redirect: 308, the query kept",
        expect: ["HTTP/1.1 308", "location: /api/products/2?from=mail"],
      },
    ],
  },
  {
    title: "Headers",
    curls: [
      {
        command: "curl -s -H 'cookie: a=b' -H 'x-forwarded-for: 6.6.6.6' '{gateway}/echo?lang=en'",
        shows: "what the backend saw: no cookie, no forged address, a trace, a key of its own",
        expect: ['"x-language":"en"', '"x-forwarded-for":"127.0.0.1"', '"traceparent":"00-', '"x-service-key":'],
      },
      {
        command: "curl -si {gateway}/echo",
        shows: "x-demo set on the answer, x-powered-by removed, a request id",
        expect: ["x-demo: set by the gateway", "x-request-id: "],
      },
    ],
  },
  {
    title: "Who is calling",
    curls: [
      {
        command: "curl -si {gateway}/orders",
        shows: "401: without a token, and what would have been taken",
        expect: ["HTTP/1.1 401", 'www-authenticate: Bearer realm="frontdesk"', '"code":"credentials-missing"'],
      },
      {
        command: `curl -s -H "Authorization: Bearer $(curl -s '{gateway}/login?age=3600')" {gateway}/orders`,
        shows: "401: a token of an hour ago",
        expect: ['"status":401', "The token has expired."],
      },
      {
        command: `curl -si -H "Authorization: Bearer $(curl -s {gateway}/login)" {gateway}/orders`,
        shows: "403: a good token without the scope that the route asks for",
        expect: ["HTTP/1.1 403", 'error="insufficient_scope", scope="orders:read"'],
      },
      {
        command: `curl -s -H "Authorization: Bearer $(curl -s '{gateway}/login?sub=ada&scope=orders:read')" {gateway}/orders`,
        shows: "200 with it: the backend learns who calls, and does not see the token",
        expect: ['"x-gateway-consumer":"shop:ada"'],
      },
      {
        command: `curl -s -H 'content-type: application/json' -d '{"sub":"eve"}' {gateway}/gateway/api/revocations; curl -s -H "Authorization: Bearer $(curl -s '{gateway}/login?sub=eve&scope=orders:read&age=60')" {gateway}/orders`,
        shows: "the tokens of a user are taken back, and one of a minute ago is good no more",
        expect: ['"sub":"eve"', '"code":"credentials-invalid"'],
      },
      {
        command: "curl -s -H 'cookie: sid=ada-session' {gateway}/account",
        shows: "200: another service knows the session, and the backend gets its word, not the cookie",
        expect: ['"x-gateway-consumer":"session:ada"', '"x-auth-request-email":"ada@shop.example"'],
      },
      {
        command: "curl -s -H 'cookie: sid=bob-session' {gateway}/account",
        shows: "403: it knows Bob too, who may not see this path",
        expect: ['"code":"not-allowed"'],
      },
    ],
  },
  {
    title: "Streams",
    curls: [
      {
        command: "curl -sN '{gateway}/events?count=4'",
        shows: "server-sent events, each as it happens",
        expect: ["id: 1\nevent: tick\n", "id: 4\nevent: tick\n"],
      },
      {
        command: "curl -sv '{gateway}/download?mb=5' | sha256sum",
        shows: "a slow download of 5 MB: its sum is the one in x-sha256",
        expect: ["content-length: 5000000", `x-sha256: ${DOWNLOAD_SHA256}`, `${DOWNLOAD_SHA256}  -`],
      },
      {
        command: "head -c 3000000 /dev/zero | curl -s -X POST -T - {gateway}/upload",
        shows: "an upload of unknown length: the backend counts and hashes every byte",
        expect: ['"bytes":3000000', THREE_MB_OF_ZEROS_SHA256],
      },
    ],
  },
  {
    title: "The cache: kept for 2 s, and for a minute more while a new one is fetched",
    curls: [
      {
        command: "curl -si {gateway}/cached/products/1",
        shows: "MISS: the backend is asked, and its answer stored",
        expect: ["cache-status: frontdesk; fwd=uri-miss; stored", '"name":"Bell"'],
      },
      {
        command: "curl -si {gateway}/cached/products/1",
        shows: "HIT, with its age and the seconds that are left",
        expect: ["cache-status: frontdesk; hit; ttl=", "age: ", '"name":"Bell"'],
      },
      {
        command: "sleep 2 && curl -si {gateway}/cached/products/1",
        shows: "STALE: sent at once, while the backend is asked for a new one",
        expect: ["; detail=stale-while-revalidate", '"name":"Bell"'],
      },
      {
        command: "curl -s {gateway}/gateway/api/purge -H 'content-type: application/json' -d '{\"tag\":\"products\"}'",
        shows: "purged by its tag; in the demo the operator's side is open to this machine",
        expect: ['{"purged":1}'],
      },
    ],
  },
  {
    title: "Refusals, each a problem with a page of its own",
    curls: [
      {
        command: "curl -s {gateway}/nowhere",
        shows: "404: no route",
        expect: ['"status":404', '"code":"route-not-found"'],
      },
      {
        command: "curl -si -X DELETE {gateway}/api/products",
        shows: "405 and Allow: the path exists, the method does not",
        expect: ["HTTP/1.1 405", "allow: GET, HEAD, POST", '"code":"method-not-allowed"'],
      },
      {
        command: "head -c 5000000 /dev/zero | curl -s --data-binary @- {gateway}/upload",
        shows: "413: over the route's maxBody of 4mb",
        expect: ['"status":413', '"code":"payload-too-large"'],
      },
      {
        command: "curl -s --path-as-is {gateway}/api/../members",
        shows: "400: a path that can be read in two ways",
        expect: ['"status":400', '"code":"bad-request"'],
      },
      {
        command: "curl -s {gateway}/faults/reset",
        shows: "502: the backend dropped the connection",
        expect: ['"status":502', '"code":"backend-unreachable"'],
      },
      {
        command: "curl -s {gateway}/faults/hang",
        shows: "504 after 2 s: the backend did not answer",
        expect: ['"status":504', '"code":"backend-timeout"'],
      },
      {
        command: "curl -sS {gateway}/faults/truncate",
        shows: "an answer that breaks off is broken off, never ended as if whole",
        expect: ["The first words", "curl: (18)"],
        exit: 18,
      },
      {
        command: "curl -si {gateway}/faults/status/503",
        shows: "a backend's own error passes as it is, without x-gateway-error",
        expect: ["HTTP/1.1 503", '"from":"the backend"'],
      },
    ],
  },
  {
    title: "Limits",
    curls: [
      {
        command: "for i in 1 2 3; do curl -si {gateway}/limited | grep -E '^(HTTP|ratelimit|retry)'; done",
        shows: "two requests, then 429: what is left, and when there is more",
        expect: ['ratelimit-policy: "demo";q=2;w=10', 'ratelimit: "demo";r=1;t=', "HTTP/1.1 429", "retry-after: "],
      },
      {
        command: "curl -sN -d '{\"stream\":true}' {gateway}/chat && curl -si -d '{}' {gateway}/chat | grep '^ratelimit:'",
        shows: "a model's stream is charged the 12 tokens that it tells at its end; the next request has 500 reserved",
        expect: ['"content":"Welcome"', '"total_tokens":12', 'ratelimit: "tokens";r=9488;t='],
      },
    ],
  },
  {
    title: "Once, however often it is sent",
    curls: [
      {
        command: `key=demo-payment-$(date +%s); for i in 1 2; do curl -si -H "idempotency-key: $key" -d '{"name":"Vase","price":900}' {gateway}/payments; echo; done`,
        shows: "the second gets the first answer, with the same id: the backend was asked once",
        expect: ["HTTP/1.1 201", "idempotency-replayed: true"],
      },
    ],
  },
  {
    title: "The same with an API key that may read orders",
    curls: [
      {
        command: "curl -si -H 'x-api-key: fd_live_7hLrVJqZ0bKd2mXw9TnYcE4sGfRaPu3kMoHx' {gateway}/orders",
        shows: "401 with a typo: the checksum tells, and no store is asked",
        expect: ["HTTP/1.1 401", "a character is missing or wrong"],
      },
      {
        command: "curl -s -H 'x-api-key: {key}' {gateway}/orders",
        shows: "200: the backend learns who calls, and does not see the key",
        expect: ['"x-gateway-consumer":"partners:demo"'],
      },
      {
        command: "curl -si -X POST -H 'authorization: Bearer {key}' {gateway}/orders",
        shows: "403: the key may read orders and not write them",
        expect: ["HTTP/1.1 403", 'insufficient_scope", scope="orders:write"', '"code":"not-allowed"'],
      },
      {
        command: "curl -s '{gateway}/gateway/api/keys?limit=1'",
        shows: "the admin API: keys as it keeps them, open in the demo to this machine",
        expect: ['"consumer":"demo"', '"scopes":["orders:read"]', '"status":"active"'],
      },
    ],
  },
  {
    title: "Several targets of one service",
    curls: [
      {
        command: "curl -s {gateway}/spares {gateway}/spares",
        shows: "each in turn",
        expect: ['"name":"spare-1"', '"name":"spare-2"'],
      },
      {
        command: "curl -si {gateway}/seats",
        shows: "hash:cookie: a cookie by which the next request finds the same target",
        expect: ["HTTP/1.1 200", "set-cookie: seat="],
      },
      {
        command: "curl -s {gateway}/next && curl -s -H 'x-tester: yes' {gateway}/next",
        shows: "a canary for those who ask for it",
        expect: ['"name":"spare-1","path":"/next"', '"name":"spare-2","path":"/next"'],
      },
      {
        command: "curl -s -X POST {gateway}/spares/first/off && curl -s {gateway}/spares {gateway}/spares {gateway}/spares",
        shows: "one is switched off: the other takes over, and nobody notices",
        expect: [
          '"isOn":false}\n{"name":"spare-2","path":"/spares"}\n{"name":"spare-2","path":"/spares"}\n{"name":"spare-2","path":"/spares"}',
        ],
      },
      {
        command: "curl -s -X POST {gateway}/spares/first/on",
        shows: "and on again",
        expect: ['"isOn":true'],
      },
    ],
  },
  {
    title: "In place of a backend that fails, and beside one",
    curls: [
      {
        command: "curl -si {gateway}/news/reset",
        shows: "fallback: the backend drops the connection, and the config answers",
        expect: ["HTTP/1.1 200", '"note":"Back soon."'],
      },
      {
        command: `curl -s -d '{"name":"Umbrella","price":2500}' {gateway}/both/products && sleep 1 && curl -s {gateway}/api/products`,
        shows: "mirror: eu answers, and us has got a copy of the request",
        expect: ['{"region":"eu",', '{"region":"us",', '"name":"Umbrella","price":2500}]'],
      },
    ],
  },
  {
    title: "Your own policy (`knock` in demo/gateway.config.ts)",
    curls: [
      { command: "curl -s {gateway}/members", shows: "403: it refuses", expect: ['"status":403', "Knock first"] },
      { command: "curl -s -H 'x-knock: knock' {gateway}/members", shows: "it lets pass", expect: ["Come in."] },
    ],
  },
  {
    title: "The doctor (`npx frontdesk doctor`; in front of a gateway of yours: docs/frontends.md)",
    curls: [
      {
        command: "GATEWAY_ADMIN_TOKEN={token} GATEWAY_URL={gateway} npx frontdesk doctor {gateway}",
        shows: "what stands between you and the backends: here nothing does",
        expect: ["the gateway answers: frontdesk", "answers come as they are made", "backend catalog"],
      },
    ],
  },
  {
    title: "Reload",
    curls: [
      {
        command: "kill -HUP {pid} && sleep 1 && curl -s {gateway}/gateway/health",
        shows: "edit demo/gateway.config.ts first: a good config takes over, a bad one says why and changes nothing",
        expect: ['"status":"ok"', '"loadedAt":"'],
      },
    ],
  },
];

export interface Filling {
  readonly gateway: string;
  readonly pid: number;
  readonly key: string;
  readonly token: string;
}

export function fillIn(command: string, filling: Filling): string {
  return command.replace(/\{(gateway|pid|key|token)\}/g, (_, name: keyof Filling) => String(filling[name]));
}
