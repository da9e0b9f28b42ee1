/**
 * Every case of the public suite that is not passed, required and optimal, and why. The test holds to it both ways: a case that
 * fails and is not here fails the test, and so does one that is here and passes. Cases of the kind `check` have no right answer.
 */
const NO_ANSWER =
  "nothing stale may be sent, so the caller gets 502; the suite counts as right only an answer of its backend, which has hung up. No cache passes it";
const SET_COOKIE = "an answer with Set-Cookie is not stored: somebody's session would go to everybody";
const PARTS = "parts are not stored: they are the backend's to serve until the whole is stored";

export const KNOWN_FAILURES: Readonly<Record<string, string>> = {
  // Required.
  "age-parse-prefix": "`Age: 0,7200` is no number of seconds, so the answer is taken for stale, as all other unreadable ages are",
  "stale-close-must-revalidate": NO_ANSWER,
  "stale-close-proxy-revalidate": NO_ANSWER,
  "stale-close-no-cache": NO_ANSWER,
  "stale-close-s-maxage=2": NO_ANSWER,
  "headers-store-Set-Cookie": SET_COOKIE,
  "304-etag-update-response-Set-Cookie": SET_COOKIE,
  "304-etag-update-response-ETag":
    "the 304 names another strong validator than the stored answer has: RFC 9111 section 4.3.4 forbids to renew it by that, and it is asked again, whole",
  "surrogate-fresh-cc-nostore":
    "its Surrogate-Control is for a cache that advertised itself by Surrogate-Capability, which this one does not",
  // Optimal.
  "method-POST": "an answer to POST is not stored for later GETs",
  "vary-normalise-lang-order": "many servers take the first of several languages, so their order means something",
  "vary-normalise-lang-select": "which language fits is the backend's to choose",
  "conditional-lm-fresh-no-lm":
    "the date asked for is before the stored Date, and there is no Last-Modified: RFC 9111 section 4.3.2 gives 304 only where the date is not earlier",
  "partial-store-partial-reuse-partial": PARTS,
  "partial-store-partial-reuse-partial-byterange": PARTS,
  "partial-store-partial-reuse-partial-absent": PARTS,
  "partial-store-partial-reuse-partial-suffix": PARTS,
  "partial-store-partial-complete": PARTS,
  "other-set-cookie": SET_COOKIE,
  "surrogate-max-age-me-target": "as surrogate-fresh-cc-nostore: this cache does not advertise itself",
};
