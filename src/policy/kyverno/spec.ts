/** What a policy says beside its rules. @module */
import type { Fields } from '../internal/fields.js'
import type { CompiledPolicy, WebhookSettings } from '../internal/policy.js'
import { readAction, readOverrides } from './actions.js'
import type { PolicyActions } from './actions.js'
import { forbidden, invalidValue, oneOf } from './complain.js'

/** The settings of a policy. */
export interface PolicySettings {
  readonly actions: PolicyActions
  readonly webhook: WebhookSettings
  readonly applies: NonNullable<CompiledPolicy['applies']>
  readonly background: boolean
  readonly warnings: readonly string[]
}

/** Fields about rules of other kinds: taken, and without meaning here. */
const OTHERS = [
  'schemaValidation',
  'mutateExistingOnPolicyUpdate',
  'generateExistingOnPolicyUpdate',
  'generateExisting',
  'useServerSideApply',
] as const
const SPEC_FIELDS = [
  'rules',
  'applyRules',
  'failurePolicy',
  'validationFailureAction',
  'validationFailureActionOverrides',
  'emitWarning',
  'admission',
  'background',
  'webhookTimeoutSeconds',
  'webhookConfiguration',
  ...OTHERS,
] as const

/** Reads them. Match conditions are read beside: they are compiled. */
export function readSpec(spec: Fields, namespaced: boolean): PolicySettings {
  spec.only(...SPEC_FIELDS)
  if (spec.boolean('admission') === false)
    invalidValue(spec, 'disabling admission processing is only allowed with validation policies', 'admission')
  const webhook = readWebhook(spec)
  const written = spec.text('validationFailureAction')
  const lower = written === 'enforce' || written === 'audit'
  return {
    actions: {
      action: readAction(spec, 'validationFailureAction') ?? 'Audit',
      overrides: readOverrides(spec, namespaced),
      emitWarning: spec.boolean('emitWarning') ?? false,
      failurePolicy: webhook.failurePolicy,
    },
    webhook,
    applies: oneOf(spec, 'applyRules', ['All', 'One']) === 'One' ? 'first' : 'all',
    background: spec.boolean('background') ?? true,
    warnings: lower ? ['Validation failure actions enforce/audit are deprecated, use Enforce/Audit instead.'] : [],
  }
}

function readWebhook(spec: Fields): WebhookSettings {
  const own = spec.object('webhookConfiguration')?.only('failurePolicy', 'timeoutSeconds', 'matchConditions')
  const older = oneOf(spec, 'failurePolicy', ['Fail', 'Ignore'])
  const policy = own === undefined ? undefined : oneOf(own, 'failurePolicy', ['Fail', 'Ignore'])
  if (older !== undefined && policy !== undefined)
    forbidden(
      spec,
      'failurePolicy',
      'remove the deprecated field and use spec.webhookConfiguration.failurePolicy instead',
    )
  const [before, timeout] = [
    readTimeout(spec, 'webhookTimeoutSeconds'),
    own === undefined ? undefined : readTimeout(own, 'timeoutSeconds'),
  ]
  if (before !== undefined && timeout !== undefined)
    forbidden(
      spec,
      'webhookTimeoutSeconds',
      'remove the deprecated field and use spec.webhookConfiguration.timeoutSeconds instead',
    )
  const timeoutSeconds = timeout ?? before
  return { failurePolicy: policy ?? older ?? 'Fail', ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }) }
}

function readTimeout(fields: Fields, name: string): number | undefined {
  const seconds = fields.integer(name)
  if (seconds !== undefined && (seconds < 1 || seconds > 30))
    invalidValue(fields, 'the timeout value must be between 1 and 30 seconds', name)
  return seconds
}
