/** The custom policies of all flows: the test build of the Vercel shape holds them, as a deployment holds its user's. */
import { customPoliciesOf } from "#lib/compiler/custom-policies.ts";
import customPolicyFlow from "../flows/custom-policies/gateway.config.ts";

export const customPolicies = customPoliciesOf(customPolicyFlow);
