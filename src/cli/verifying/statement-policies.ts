/** CUE and Rego policies that statements must satisfy, as `verify-attestation --policy` takes them. @module */
import { parseJson, type JsonValue } from '#encoding/json'
import { isCodedError } from '#errors'
import { UsageError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import { inline } from '../kit/printable.js'
import { readTextFile } from '../read-input.js'
import { VerdictError } from './verdict.js'

/** Policies, ready to judge what was signed. */
export interface StatementPolicies {
  /**
   * Judges the payloads of all attestations that were accepted: one that does not satisfy a policy is one too many.
   * @throws {@link VerdictError} VERDICT_POLICY
   */
  judge(payloads: readonly Uint8Array[]): void
}

/** A check by all policies of one language. */
interface Language {
  readonly name: string
  readonly files: readonly string[]
  /** Throws a coded error if the statement does not satisfy the policies. */
  readonly check: (statement: JsonValue) => void
}

/**
 * Loads policies by the endings of their names. Every CUE file must hold by itself; Rego files are the modules of one policy.
 * @throws {@link UsageError} for another ending; errors of the languages
 */
export async function loadStatementPolicies(host: Host, paths: readonly string[]): Promise<StatementPolicies> {
  const other = paths.find((path) => !path.endsWith('.cue') && !path.endsWith('.rego'))
  if (other !== undefined) {
    throw new UsageError('USAGE_FLAG_VALUE', 'invalid policy format', { expected: '.cue or .rego', found: other })
  }
  const languages = [
    await loadCue(
      host,
      paths.filter((path) => path.endsWith('.cue')),
    ),
    await loadRego(
      host,
      paths.filter((path) => path.endsWith('.rego')),
    ),
  ].filter(({ files }) => files.length > 0)
  return {
    judge: (payloads) => {
      judge(host, languages, payloads)
    },
  }
}

async function loadCue(host: Host, files: readonly string[]): Promise<Language> {
  const none: Language = { name: 'CUE', files, check: () => undefined }
  if (files.length === 0) return none
  const { compileCue } = await import('#policy/cue/policy')
  const policies = (await readAll(host, files)).map(compileCue)
  return {
    ...none,
    check: (statement) => {
      for (const policy of policies) policy.judge(statement)
    },
  }
}

async function loadRego(host: Host, files: readonly string[]): Promise<Language> {
  const none: Language = { name: 'Rego', files, check: () => undefined }
  if (files.length === 0) return none
  const { allows, compileRego } = await import('#policy/rego/policy')
  const policy = compileRego(...(await readAll(host, files)))
  return {
    ...none,
    check: (statement) => {
      if (allows(policy, statement, { clock: host.clock })) return
      throw new VerdictError('VERDICT_POLICY', 'the Rego policy does not allow it', {
        expected: 'data.signature.allow to be true',
        hint: 'is the package of the policy signature, and does it have a rule allow?',
      })
    },
  }
}

async function readAll(host: Host, files: readonly string[]): Promise<readonly string[]> {
  return await Promise.all(files.map(async (file) => await readTextFile(host, file)))
}

function judge(host: Host, languages: readonly Language[], payloads: readonly Uint8Array[]): void {
  const failures: Error[] = []
  for (const payload of payloads) {
    const statement = parseJson(payload)
    for (const { name, files, check } of languages) {
      host.terminal.note(`will be validating against ${name} policies: [${files.join(' ')}]`)
      const failure = failureOf(check, statement)
      if (failure === undefined) continue
      failures.push(failure)
      break
    }
  }
  if (failures.length === 0) return
  host.terminal.note(`There are ${String(failures.length)} number of errors occurred during the validation:\n`)
  for (const { message } of failures) host.terminal.note(`- ${inline(message)}`)
  throw new VerdictError('VERDICT_POLICY', `${String(failures.length)} validation errors occurred`, {
    hint: 'every attestation of the type must satisfy the policy, not just one',
    cause: failures[0],
  })
}

function failureOf(check: Language['check'], statement: JsonValue): Error | undefined {
  try {
    check(statement)
    return undefined
  } catch (error) {
    if (isCodedError(error)) return error
    throw error
  }
}
