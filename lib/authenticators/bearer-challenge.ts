/** What a Bearer scheme says where no credential was accepted (RFC 6750 section 3). */
import type { ChallengeError } from "../contract/authenticator.ts";

/** `metadata` is where a client finds out which authorization server to ask (RFC 9728 section 5.1). */
export function bearerChallenge({ error, description, scope }: Partial<ChallengeError> = {}, metadata?: string): string {
  const parameters = { realm: "frontdesk", error, error_description: description, scope, resource_metadata: metadata };
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return `Bearer ${given.map(([name, value]) => `${name}="${value?.replace(/["\\]/g, "'")}"`).join(", ")}`;
}
