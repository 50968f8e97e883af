/** Which policy language a document is in. @module */
import type { JsonObject } from '#encoding/json'
import { compileClusterImagePolicy, guardedByClusterImagePolicy, isClusterImagePolicy } from './cip/compile.js'
import type { CompileOptions } from './cip/compile.js'
import type { CompiledException } from './internal/exception.js'
import { PolicyError } from './internal/policy-error.js'
import type { CompiledPolicy, PolicyLanguage } from './internal/policy.js'
import { guardedByImageValidatingPolicy } from './ivpol/guarded.js'
import {
  CLUSTER_KIND,
  EXCEPTION_KIND,
  GROUP,
  isCelException,
  isImageValidatingPolicy,
  NAMESPACED_KIND,
  VERSIONS,
} from './ivpol/kinds.js'
import { compileKyvernoPolicy, isKyvernoPolicy } from './kyverno/compile.js'
import { compileKyvernoException, isKyvernoException } from './kyverno/exception.js'
import { guardedByKyvernoPolicy } from './kyverno/guarded.js'
import { refusingPolicy } from './refusing-policy.js'
import type { Guarded } from './refusing-policy.js'

/** Documents of one kind, as an API server serves them. */
export interface PolicyResource {
  readonly kind: string
  readonly group: string
  /** The one that is read first. */
  readonly versions: readonly string[]
  /** The plural. */
  readonly resource: string
  readonly namespaced: boolean
}

/** Whose world a language is of: its webhook, its namespaces, and what it makes of images that no policy is about. */
export const POLICY_FAMILIES = ['sigstore', 'kyverno'] as const
export type PolicyFamily = (typeof POLICY_FAMILIES)[number]

/** A policy language. */
export interface FrontEnd {
  readonly language: PolicyLanguage
  readonly family: PolicyFamily
  readonly resources: readonly PolicyResource[]
  readonly accepts: (document: JsonObject) => boolean
  readonly compile: (document: JsonObject, options: CompileOptions) => Promise<CompiledPolicy>
  /** What a document that cannot be compiled is about, as far as that can be read; undefined: anything. */
  readonly guarded: (document: JsonObject) => Guarded | undefined
}

/** TrustRoots, to which ClusterImagePolicies refer. */
export const TRUST_ROOTS: PolicyResource = {
  kind: 'TrustRoot',
  group: 'policy.sigstore.dev',
  versions: ['v1alpha1'],
  resource: 'trustroots',
  namespaced: false,
}

const KYVERNO = { group: 'kyverno.io', versions: ['v1', 'v2beta1'] } as const
const CEL = { group: GROUP, versions: VERSIONS } as const

const FRONT_ENDS: readonly FrontEnd[] = [
  {
    language: 'ClusterImagePolicy',
    family: 'sigstore',
    resources: [
      {
        kind: 'ClusterImagePolicy',
        group: 'policy.sigstore.dev',
        versions: ['v1beta1', 'v1alpha1'],
        resource: 'clusterimagepolicies',
        namespaced: false,
      },
    ],
    accepts: isClusterImagePolicy,
    compile: compileClusterImagePolicy,
    guarded: guardedByClusterImagePolicy,
  },
  {
    language: 'ClusterPolicy',
    family: 'kyverno',
    resources: [
      { ...KYVERNO, kind: 'ClusterPolicy', resource: 'clusterpolicies', namespaced: false },
      { ...KYVERNO, kind: 'Policy', resource: 'policies', namespaced: true },
    ],
    accepts: isKyvernoPolicy,
    compile: compileKyvernoPolicy,
    guarded: guardedByKyvernoPolicy,
  },
  {
    language: 'ImageValidatingPolicy',
    family: 'kyverno',
    resources: [
      { ...CEL, kind: CLUSTER_KIND, resource: 'imagevalidatingpolicies', namespaced: false },
      { ...CEL, kind: NAMESPACED_KIND, resource: 'namespacedimagevalidatingpolicies', namespaced: true },
    ],
    accepts: isImageValidatingPolicy,
    // CEL is loaded only where a policy is written in it.
    compile: async (document) => (await import('./ivpol/compile.js')).compileImageValidatingPolicy(document),
    guarded: guardedByImageValidatingPolicy,
  },
]

/** Everything that policies are written in. */
export const POLICY_RESOURCES: readonly PolicyResource[] = FRONT_ENDS.flatMap(({ resources }) => resources)

/** A kind of exceptions from policies. */
interface ExceptionFrontEnd {
  readonly resources: readonly PolicyResource[]
  readonly accepts: (document: JsonObject) => boolean
  readonly compile: (document: JsonObject) => Promise<CompiledException>
}

const EXCEPTIONS: readonly ExceptionFrontEnd[] = [
  {
    resources: [
      {
        kind: 'PolicyException',
        group: 'kyverno.io',
        versions: ['v2', 'v2beta1', 'v2alpha1'],
        resource: 'policyexceptions',
        namespaced: true,
      },
    ],
    accepts: isKyvernoException,
    compile: compileKyvernoException,
  },
  {
    resources: [{ ...CEL, kind: EXCEPTION_KIND, resource: 'policyexceptions', namespaced: true }],
    accepts: isCelException,
    compile: async (document) => (await import('./ivpol/exception.js')).compileCelException(document),
  },
]

/** Everything that exceptions are written in. */
export const EXCEPTION_RESOURCES: readonly PolicyResource[] = EXCEPTIONS.flatMap(({ resources }) => resources)

/** The kind of document that a policy came from. */
export function policyResourceOf(language: PolicyLanguage, namespaced: boolean): PolicyResource | undefined {
  const frontEnd = FRONT_ENDS.find((each) => each.language === language)
  return frontEnd?.resources.find((resource) => resource.namespaced === namespaced)
}

/** Whether a document is a policy of any language. */
export function isPolicy(document: JsonObject): boolean {
  return FRONT_ENDS.some(({ accepts }) => accepts(document))
}

/** Every kind of document that is read, with whose it is: policies, exceptions and trust roots. */
export const FRONT_END_RESOURCES: readonly (PolicyResource & { readonly family: PolicyFamily })[] = [
  ...FRONT_ENDS.flatMap(({ family, resources }) => resources.map((resource) => ({ ...resource, family }))),
  ...EXCEPTION_RESOURCES.map((resource) => ({ ...resource, family: 'kyverno' as const })),
  { ...TRUST_ROOTS, family: 'sigstore' },
]

/** The family of a policy's language. */
export function familyOf(language: PolicyLanguage): PolicyFamily {
  return FRONT_ENDS.find((frontEnd) => frontEnd.language === language)?.family ?? 'sigstore'
}

/**
 * Compiles a policy of any language.
 * @throws PolicyError `POLICY_KIND` for a document that is none, or what the front end throws
 */
export async function compilePolicy(document: JsonObject, options: CompileOptions): Promise<CompiledPolicy> {
  return await frontEndOf(document).compile(document, options)
}

/**
 * What stands in for a policy that cannot be compiled: it refuses what the policy would have been asked about.
 * @throws PolicyError `POLICY_KIND` for a document that is no policy
 */
export function standInFor(document: JsonObject, why: Error): CompiledPolicy {
  const { language, guarded } = frontEndOf(document)
  return refusingPolicy(document, { language, guarded: guarded(document), why })
}

function frontEndOf(document: JsonObject): FrontEnd {
  const frontEnd = FRONT_ENDS.find(({ accepts }) => accepts(document))
  if (frontEnd !== undefined) return frontEnd
  const { kind, apiVersion } = document
  throw new PolicyError('POLICY_KIND', 'this is not a policy that is known here', {
    expected: POLICY_RESOURCES.map((resource) => `${resource.kind} (${resource.group})`).join(', '),
    found: `${JSON.stringify(kind ?? null)} of ${JSON.stringify(apiVersion ?? null)}`.slice(0, 200),
  })
}

/** Whether a document is an exception from policies of any language. */
export function isException(document: JsonObject): boolean {
  return EXCEPTIONS.some(({ accepts }) => accepts(document))
}

/**
 * Compiles an exception.
 * @throws PolicyError `POLICY_KIND` for a document that is none, or what the front end throws
 */
export async function compileException(document: JsonObject): Promise<CompiledException> {
  const frontEnd = EXCEPTIONS.find(({ accepts }) => accepts(document))
  if (frontEnd !== undefined) return await frontEnd.compile(document)
  throw new PolicyError('POLICY_KIND', 'this is not an exception that is known here')
}
