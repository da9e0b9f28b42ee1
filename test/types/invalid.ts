/** Mistakes that must fail `tsc`: checked by `npm run types`, never run. */
import { defineGateway, env } from "#frontdesk";

const backends = { catalog: "https://catalog.example", rails: "https://rails.example" } as const;

defineGateway({
  backends,
  // @ts-expect-error there is no backend of that name
  routes: [{ path: "/a", auth: "none", backend: "catalgo" }],
});

defineGateway({
  backends,
  routes: [
    { path: "/a", auth: "none", backend: "catalog" },
    // @ts-expect-error there is no backend of that name
    { path: "/b", auth: "none", backend: "rail" },
  ],
});

defineGateway({
  backends,
  // @ts-expect-error there is no backend of that name
  routes: [{ path: "/a", auth: "none", backend: "catalog", mirror: "rial" }],
});

defineGateway({
  backends,
  // @ts-expect-error there is no backend of that name
  routes: [{ path: "/a", auth: "none", backend: "catalog", mirror: { backend: "rial", percent: 5 } }],
});

defineGateway({
  // @ts-expect-error there is no backend of that name
  backends: { ...backends, spare: { url: "https://spare.example", fallback: { backend: "catalgo" } } },
  routes: [{ path: "/a", auth: "none", backend: "spare" }],
});

defineGateway({
  // @ts-expect-error there is no such key
  backends: { spare: { url: "https://spare.example", fallbck: false } },
  routes: [{ path: "/a", auth: "none", backend: "spare" }],
});

defineGateway({
  backends,
  // @ts-expect-error there is no authenticator of that name
  routes: [{ path: "/a", auth: "web", backend: "catalog" }],
});

defineGateway({
  backends,
  // @ts-expect-error there is no authenticator of that name
  routes: [{ path: "/a", auth: ["web", "partners"], backend: "catalog" }],
});

// @ts-expect-error there is no authenticator of that name
defineGateway({ backends, defaults: { auth: "web" }, routes: [{ path: "/a", backend: "catalog" }] });

defineGateway({
  backends,
  // @ts-expect-error the path has no parameter of that name
  routes: [{ path: "/users/:id", auth: "none", backend: "rails", rewrite: "/people/${params.idd}" }],
});

defineGateway({
  backends,
  // @ts-expect-error the path has no parameter of that name
  routes: [{ path: "/users/:id", auth: "none", redirect: "/people/${params.id}/${params.rest}" }],
});

defineGateway({
  backends,
  // @ts-expect-error the path has no parameter of that name
  routes: [{ path: "/users/*", auth: "none", redirect: { to: "/people/${params.id}", status: 301 } }],
});

defineGateway({
  backends,
  // @ts-expect-error an unknown key
  routes: [{ path: "/a", auth: "none", backend: "rails", stripprefix: "/a" }],
});

defineGateway({
  backends,
  // @ts-expect-error a key that is not built yet
  routes: [{ path: "/a", auth: "none", backend: "rails", mirror: { percent: 1 } }],
});

defineGateway({
  backends,
  // @ts-expect-error an unknown key within a limit of a list
  routes: [{ path: "/a", auth: "none", backend: "rails", limit: ["tier", { request: 10, per: "1m" }] }],
});

defineGateway({
  backends,
  // @ts-expect-error an algorithm that is not there
  routes: [{ path: "/a", auth: "none", backend: "rails", limit: { requests: 10, per: "1m", algorithm: "leaky-bucket" } }],
});

defineGateway({
  backends,
  // @ts-expect-error an unknown key within a setting
  routes: [{ path: "/a", auth: "none", respond: { statsu: 204 } }],
});

// @ts-expect-error an unknown key at the top
defineGateway({ backends, route: [], routes: [] });

// @ts-expect-error a status that is no redirect
defineGateway({ routes: [{ path: "/a", auth: "none", redirect: { to: "/b", status: 200 } }] });

// @ts-expect-error the name of a variable is text
env(5);
