/** Kubernetes Events: that a policy refused something, told on the policy, and on the resource where there is one. @module */
import type { JsonObject } from '#encoding/json'
import type { RuleVerdict } from '#policy/engine/verdict'
import { formatRfc3339 } from '#time'
import type { UnixMillis } from '#time'

/** An object that an event is about. */
export interface EventTarget {
  readonly apiVersion: string
  readonly kind: string
  /** Empty for what is not in a namespace. */
  readonly namespace: string
  readonly name: string
  readonly uid?: string
}

export interface EventContent {
  readonly about: EventTarget
  readonly message: string
  readonly now: UnixMillis
}

const COMPONENT = 'countersign-admission'
/** The API server takes no longer ones. */
const MAX_MESSAGE = 1024

/** Of type Warning and reason PolicyViolation, as Kyverno's. */
export function violationEvent({ about, message, now }: EventContent): JsonObject {
  const { apiVersion, kind, namespace, name, uid } = about
  const time = formatRfc3339(now - (now % 1000))
  // Events on what is in no namespace are kept in this one.
  const at = namespace === '' ? 'default' : namespace
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { generateName: `${name.slice(0, 200)}.`, namespace: at },
    involvedObject: {
      apiVersion,
      kind,
      name,
      ...(namespace !== '' && { namespace }),
      ...(uid !== undefined && { uid }),
    },
    type: 'Warning',
    reason: 'PolicyViolation',
    message: message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE - 1)}…` : message,
    action: 'Resource Blocked',
    source: { component: COMPONENT },
    reportingComponent: COMPONENT,
    reportingInstance: COMPONENT,
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  }
}

/** `Pod default/web: [rule] fail (blocked); why`, as Kyverno words it on the policy. */
export function violationText(resource: EventTarget, { rule, policy, verdict, message }: RuleVerdict): string {
  const where = resource.namespace === '' ? resource.name : `${resource.namespace}/${resource.name}`
  const blocked = verdict === 'denied' ? ' (blocked)' : ''
  return `${resource.kind} ${where}: [${rule === '' ? policy : rule}] fail${blocked}; ${message}`
}
