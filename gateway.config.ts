import { defineGateway } from "#frontdesk";

// The gateway's config: the one file to edit. docs/config.md has every key; `npx frontdesk check` says what a config means.
export default defineGateway({
  // The services behind the gateway, by name. A secret is a reference to a variable, never text (import `env` too):
  //   backends: {
  //     shop: "https://shop.example.com",
  //     search: { url: "https://search.example.com", headers: { authorization: `Bearer ${env("SEARCH_KEY")}` }, timeout: "5s" },
  //   },

  // What is served. Order does not matter: the most specific path wins. Each route says who may call.
  //   { path: "/api/*", backend: "shop", stripPrefix: "/api", auth: "none" },
  //   { path: "/old/*", redirect: "/new/${params.rest}", auth: "none" },
  routes: [
    {
      path: "/",
      auth: "none",
      respond: { json: { message: "Frontdesk is running. Edit gateway.config.ts to send requests somewhere." } },
    },
  ],
});
