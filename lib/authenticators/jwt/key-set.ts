/** The public keys of an issuer: those among them that may have signed a token. */
import { createLocalJWKSet, errors, type JWK } from "jose";

/** What a token says of its key. */
export interface KeyHint {
  readonly alg: string;
  readonly kid: string | undefined;
}

/** Several keys may fit a token that names none; an attacker's token must not cost a verification by each key of a long list. */
const MAX_TRIED = 4;

type Candidates = (hint: KeyHint) => Promise<readonly CryptoKey[]>;

/** The keys that may have signed a token, by its `kid` and by what its `alg` needs. A key without a `kid` fits any. */
export function createKeySet(keys: readonly JWK[]): Candidates {
  const all = candidatesAmong(keys);
  const nameless = candidatesAmong(keys.filter(({ kid }) => kid === undefined));
  return async (hint) => {
    const found = await all(hint);
    return found.length > 0 ? found : nameless({ ...hint, kid: undefined });
  };
}

/** jose imports each key once, and holds it to `kty`, `crv`, `alg`, `use` and `key_ops`. */
function candidatesAmong(keys: readonly JWK[]): Candidates {
  const find = createLocalJWKSet({ keys: [...keys] });
  return async ({ alg, kid }) => {
    try {
      return [await find(kid === undefined ? { alg } : { alg, kid })];
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) return [];
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
      const several: CryptoKey[] = [];
      for await (const key of error) if (several.push(key) === MAX_TRIED) break;
      return several;
    }
  };
}
