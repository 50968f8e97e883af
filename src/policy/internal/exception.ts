/** Exceptions from policies, whatever language they are written for. @module */
import type { NamedImage } from './image.js'
import type { PolicyLanguage, ResourceMatcher } from './policy.js'

/** A rule, or the whole policy where it has no rules. */
export interface ExcusedRule {
  readonly language: PolicyLanguage
  readonly policy: string
  /** Of a namespaced policy. */
  readonly namespace: string | undefined
  readonly rule: string
}

/** A compiled exception: resources for which some rules are not asked. */
export interface CompiledException {
  /** `namespace/name`, for messages and reports. */
  readonly name: string
  /** Of an exception that is about its own namespace only. */
  readonly namespace?: string
  covers(rule: ExcusedRule): boolean
  readonly matcher: ResourceMatcher
  /** Of an exception that names images: a resource with any other, or with none, is not excused. */
  readonly excuses?: (image: NamedImage) => boolean
  /** SHA-256 (hex) of what was compiled. */
  readonly contentHash: string
}
