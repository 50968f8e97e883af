/** Kyverno's ImageValidatingPolicy and NamespacedImageValidatingPolicy, compiled. @module */
import { sha256 } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { canonicalize } from '#encoding/jcs'
import type { JsonObject } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import { loadCel } from '../cel/program.js'
import type { CompileCel } from '../cel/program.js'
import { Complaints, Fields } from '../internal/fields.js'
import { PolicyError } from '../internal/policy-error.js'
import type { CompiledPolicy } from '../internal/policy.js'
import { generatedSpecs } from './autogen.js'
import type { GeneratedSpec } from './autogen.js'
import { loadYamlParser } from './environment.js'
import { CLUSTER_KIND, GROUP, isImageValidatingPolicy, NAMESPACED_KIND, VERSIONS } from './kinds.js'
import { compileProgram } from './program.js'
import type { ProgramContext } from './program.js'
import { readSpec } from './spec.js'
import type { ReadSpec } from './spec.js'

/**
 * Compiles a policy; every expression is checked. Every complaint is told, in the words of the original where it has some.
 * @throws PolicyError `POLICY_KIND`, `POLICY_FIELD`
 */
export async function compileImageValidatingPolicy(document: JsonObject): Promise<CompiledPolicy> {
  checkKind(document)
  const complaints = new Complaints()
  const top = new Fields(document, '', complaints).only('apiVersion', 'kind', 'metadata', 'spec', 'status')
  const metadata = top.object('metadata')
  const name = metadata?.text('name')
  if (name === undefined) complaints.missing('metadata.name')
  const isNamespaced = document['kind'] === NAMESPACED_KIND
  const namespace = isNamespaced ? (metadata?.text('namespace') ?? 'default') : undefined
  const fields = top.object('spec')
  if (fields === undefined) complaints.missing('spec')
  const read = fields === undefined ? undefined : readSpec(fields, namespace)
  complaints.throwIfAny('validation failed: ')
  if (read === undefined || name === undefined || fields === undefined)
    throw new PolicyError('POLICY_FIELD', 'validation failed: spec')
  const generated = generatedSpecs(fields.value)
  const [compile, parseYaml] = await Promise.all([loadCel(), loadYamlParser()])
  const isGenerating = generated.length > 0
  const context = { name, namespace, compile, parseYaml, complaints, isGenerating }
  const main = compileProgram(read, { ...context, generated: undefined })
  complaints.throwIfAny('validation failed: ')
  const others = generated.map((each) => compileGenerated(each, context))
  return {
    language: 'ImageValidatingPolicy',
    name,
    ...(namespace === undefined ? {} : { namespace }),
    rules: [main, ...others],
    webhook: settingsOf(read),
    background: read.background,
    admission: read.admission,
    warnings: read.warnings,
    contentHash: encodeHex(
      sha256(encodeUtf8(canonicalize({ name, namespace: namespace ?? null, spec: fields.value }))),
    ),
  }
}

function checkKind(document: JsonObject): void {
  const { kind, apiVersion } = document
  if (isImageValidatingPolicy(document) && VERSIONS.some((version) => apiVersion === `${GROUP}/${version}`)) return
  throw new PolicyError('POLICY_KIND', 'this is not an image validating policy of Kyverno', {
    expected: `${CLUSTER_KIND} or ${NAMESPACED_KIND} of ${VERSIONS.map((version) => `${GROUP}/${version}`).join(', ')}`,
    found: `${JSON.stringify(kind)} of ${JSON.stringify(apiVersion)}`.slice(0, 200),
  })
}

/** What is made of a policy is compiled as if it had been written; what is wrong with it is told as such. */
function compileGenerated(
  generated: GeneratedSpec,
  context: Omit<ProgramContext, 'generated' | 'complaints'> & { readonly compile: CompileCel },
): CompiledPolicy['rules'][number] {
  const complaints = new Complaints()
  const read = readSpec(new Fields(generated.spec, 'spec', complaints), context.namespace)
  const program = compileProgram(read, { ...context, complaints, generated })
  complaints.throwIfAny(`validation of what is generated for ${generated.config} failed: `)
  return program
}

function settingsOf({ failurePolicy, timeoutSeconds }: ReadSpec): NonNullable<CompiledPolicy['webhook']> {
  return { failurePolicy, ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }) }
}
