/** Which policy language a document is in. @module */
import type { JsonObject } from '#encoding/json'
import { compileClusterImagePolicy, isClusterImagePolicy } from './cip/compile.js'
import type { CompileOptions } from './cip/compile.js'
import type { CompiledException } from './internal/exception.js'
import { PolicyError } from './internal/policy-error.js'
import type { CompiledPolicy } from './internal/policy.js'
import { compileKyvernoPolicy, isKyvernoPolicy } from './kyverno/compile.js'
import { compileKyvernoException, isKyvernoException } from './kyverno/exception.js'

/** A policy language. */
export interface FrontEnd {
  readonly kinds: readonly string[]
  readonly accepts: (document: JsonObject) => boolean
  readonly compile: (document: JsonObject, options: CompileOptions) => Promise<CompiledPolicy>
}

const FRONT_ENDS: readonly FrontEnd[] = [
  {
    kinds: ['ClusterImagePolicy (policy.sigstore.dev)'],
    accepts: isClusterImagePolicy,
    compile: compileClusterImagePolicy,
  },
  {
    kinds: ['ClusterPolicy', 'Policy (kyverno.io)'],
    accepts: isKyvernoPolicy,
    compile: compileKyvernoPolicy,
  },
]

/** A kind of exceptions from policies. */
interface ExceptionFrontEnd {
  readonly accepts: (document: JsonObject) => boolean
  readonly compile: (document: JsonObject) => Promise<CompiledException>
}

const EXCEPTIONS: readonly ExceptionFrontEnd[] = [{ accepts: isKyvernoException, compile: compileKyvernoException }]

/** Whether a document is a policy of any language. */
export function isPolicy(document: JsonObject): boolean {
  return FRONT_ENDS.some(({ accepts }) => accepts(document))
}

/**
 * Compiles a policy of any language.
 * @throws PolicyError `POLICY_KIND` for a document that is none, or what the front end throws
 */
export async function compilePolicy(document: JsonObject, options: CompileOptions): Promise<CompiledPolicy> {
  const frontEnd = FRONT_ENDS.find(({ accepts }) => accepts(document))
  if (frontEnd !== undefined) return await frontEnd.compile(document, options)
  const { kind, apiVersion } = document
  throw new PolicyError('POLICY_KIND', 'this is not a policy that is known here', {
    expected: FRONT_ENDS.flatMap(({ kinds }) => kinds).join(', '),
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
