/** Policies themselves at the door: one that could not be used is refused when it is applied, with everything that is wrong with it. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonObject } from '#encoding/json'
import { isCodedError } from '#errors'
import type { CodedError } from '#errors'
import type { CompilePorts } from '#policy/cip/policy-text'
import { isTrustRoot, readTrustRoot } from '#policy/cip/trust-root'
import { compileException, compilePolicy, isException, isPolicy } from '#policy/front-ends'
import { PolicyError } from '#policy/internal/policy-error'
import { AdmissionError } from './admission-error.js'
import { refuse } from './admission.js'
import type { Decision } from './decision.js'
import { readReview } from './read-review.js'

export interface PolicyAdmissionOptions {
  readonly ports: Pick<CompilePorts, 'clock' | 'configMapText'>
  readonly failOnEmptyAuthorities: () => boolean
}

/** The decision on a policy, a trust root or an exception. It does not throw. */
export async function admitPolicy(body: Uint8Array, options: PolicyAdmissionOptions): Promise<Decision> {
  const read = readReview(body)
  const hook = { uid: read.uid, phase: 'validating', family: undefined } as const
  if ('error' in read) return refuse(read.error, hook).decision
  const { operation, object } = read.review
  const accepted: Decision = { uid: read.uid, denial: undefined, warnings: [], auditAnnotations: {}, patch: [] }
  // What is being deleted need not be good any longer.
  if (operation === 'DELETE' || isBeingDeleted(object)) return accepted
  try {
    return { ...accepted, warnings: await check(object, options) }
  } catch (error) {
    if (!isCodedError(error)) {
      const fault = new AdmissionError('ADMISSION_FAULT', 'the policy could not be checked', { cause: error })
      return refuse(fault, hook).decision
    }
    return { ...accepted, denial: { code: 400, reason: 'BadRequest', message: messageOf(error) } }
  }
}

/** @throws whatever is wrong with the document */
async function check(
  document: JsonObject,
  { ports, failOnEmptyAuthorities }: PolicyAdmissionOptions,
): Promise<readonly string[]> {
  if (isTrustRoot(document)) {
    readTrustRoot(document)
    return []
  }
  if (isException(document)) {
    await compileException(document)
    return []
  }
  if (!isPolicy(document)) {
    throw new PolicyError('POLICY_KIND', 'this is no policy that is known here', {
      found: `${JSON.stringify(document['kind'] ?? null)} of ${JSON.stringify(document['apiVersion'] ?? null)}`.slice(
        0,
        200,
      ),
    })
  }
  const unusable: string[] = []
  const policy = await compilePolicy(document, {
    failOnEmptyAuthorities: failOnEmptyAuthorities(),
    ports: {
      ...ports,
      // Whoever applies a policy does not wait for what is elsewhere; it is fetched afterwards.
      remoteText: (url) => Promise.reject(new PolicyError('POLICY_TEXT', `what is at ${url} is looked at later`)),
      onUnusable: (error) => unusable.push(isCodedError(error) ? error.message : 'a text cannot be used'),
    },
  })
  return [...policy.warnings, ...unusable]
}

function messageOf({ message, expected, found, hint }: CodedError): string {
  const more = [
    ...(expected === undefined ? [] : [`expected ${expected}`]),
    ...(found === undefined ? [] : [`found ${found}`]),
    ...(hint === undefined ? [] : [hint]),
  ]
  return more.length === 0 ? message : `${message}\n${more.join('; ')}`
}

function isBeingDeleted({ metadata }: JsonObject): boolean {
  return isJsonObject(metadata) && typeof metadata['deletionTimestamp'] === 'string'
}
