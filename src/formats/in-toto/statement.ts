/** in-toto statements v0.1 and v1: what is claimed, about which artifacts. @module */
import type { JsonValue } from '#encoding/json'

/** An artifact the statement is about. */
export interface Subject {
  readonly name?: string | undefined
  readonly uri?: string | undefined
  /** Algorithm name to lower-case hex, as stated. */
  readonly digest: ReadonlyMap<string, string>
  /** String-valued annotations (cosign's `-a`); others are left out. */
  readonly annotations: ReadonlyMap<string, string>
}

/** A statement. */
export interface Statement {
  readonly type: 'https://in-toto.io/Statement/v0.1' | 'https://in-toto.io/Statement/v1'
  readonly subjects: readonly Subject[]
  readonly predicateType: string
  readonly predicate: JsonValue | undefined
}
