/** The conformance suite of CEL's specification, without what concerns protocol buffers. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Value as SpecValue } from '@bufbuild/cel-spec/cel/expr/value_pb.js'
import type { SimpleTest } from '@bufbuild/cel-spec/cel/expr/conformance/test/simple_pb.js'
import { getConformanceSuite } from '@bufbuild/cel-spec/testdata/tests.js'
import type { IncrementalTestSuite } from '@bufbuild/cel-spec/testdata/tests.js'
import { encodeHex } from '#encoding/hex'
import { isCodedError } from '#errors'
import { KUBERNETES } from './kubernetes.js'
import { Evaluation, loadCel } from './program.js'
import { DYN } from './types.js'
import { CelMap, EntryMap, isList, Optional, PENDING, TypeValue, Uint } from './values.js'
import type { CelValue, Outcome } from './values.js'

function* testsOf(
  suite: IncrementalTestSuite,
  path: readonly string[] = [],
): Generator<readonly [path: string, test: SimpleTest]> {
  for (const { name, original } of suite.tests) yield [[...path, name].join('/'), original]
  for (const inner of suite.suites) yield* testsOf(inner, [...path, inner.name])
}

/** What these suites are about is not here: messages, and libraries that Kubernetes does not have. */
const OTHER_SUITES = /^(proto2|proto2_ext|proto3|enums|wrappers|block_ext|network_ext|type_deduction)\//
const MESSAGES = /TestAll|google\.protobuf\.(?!Timestamp|Duration)|proto[23]|cel\.expr|NestedEnum|GlobalEnum|TestMap/

function isOurs(path: string, { expr, container, bindings, checkOnly, disableMacros }: SimpleTest): boolean {
  if (OTHER_SUITES.test(path) || MESSAGES.test(expr) || container !== '' || checkOnly || disableMacros) return false
  return Object.values(bindings).every(({ kind }) => kind.case === 'value' && kind.value.kind.case !== 'objectValue')
}

function bound({ kind }: SpecValue): CelValue {
  switch (kind.case) {
    case 'nullValue':
      return null
    case 'uint64Value':
      return new Uint(kind.value)
    case 'listValue':
      return kind.value.values.map(bound)
    case 'mapValue':
      return new EntryMap(
        kind.value.entries.map(({ key, value }) => {
          assert.ok(key !== undefined && value !== undefined)
          return [bound(key), bound(value)] as const
        }),
      )
    case 'boolValue':
    case 'int64Value':
    case 'doubleValue':
    case 'stringValue':
    case 'bytesValue':
      return kind.value
    default:
      return assert.fail(`a binding of ${String(kind.case)}`)
  }
}

/** Both kinds of value in one notation. */
function wanted({ kind }: SpecValue): string {
  switch (kind.case) {
    case 'listValue':
      return `[${kind.value.values.map(wanted).join()}]`
    case 'mapValue': {
      const entries = kind.value.entries.map(({ key, value }) => {
        assert.ok(key !== undefined && value !== undefined)
        return `${wanted(key)}:${wanted(value)}`
      })
      return `{${entries.sort().join()}}`
    }
    case 'typeValue':
      return `type ${kind.value}`
    case 'objectValue':
      return 'object'
    default:
      return kind.case === undefined ? 'nothing' : shown(bound({ kind } as SpecValue))
  }
}

function shown(value: Outcome | undefined): string {
  if (value === undefined || value === PENDING) return 'nothing'
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') return `double ${String(value)}`
  if (value instanceof Uint8Array) return `bytes ${encodeHex(value)}`
  if (value instanceof Uint) return `${String(value.value)}u`
  if (value instanceof TypeValue) return `type ${value.name}`
  if (isList(value)) return `[${value.map(shown).join()}]`
  if (value instanceof CelMap) {
    const entries = value.keys().map((key) => `${shown(key)}:${shown(value.get(key))}`)
    return `{${entries.sort().join()}}`
  }
  if (value instanceof Optional) return value.value === undefined ? 'none' : `optional ${shown(value.value)}`
  return typeof value === 'object' && value !== null ? 'object' : String(value)
}

function expectation({ resultMatcher }: SimpleTest): string | undefined {
  switch (resultMatcher.case) {
    case 'value':
      return wanted(resultMatcher.value)
    case 'typedResult':
      return resultMatcher.value.result === undefined ? undefined : wanted(resultMatcher.value.result)
    case 'evalError':
      return 'error'
    case undefined:
      return 'true'
    default:
      return undefined
  }
}

const compile = await loadCel()

function outcome({ expr, bindings, typeEnv }: SimpleTest): string {
  const values = new Map(
    Object.entries(bindings).flatMap(([name, { kind }]) =>
      kind.case === 'value' ? [[name, bound(kind.value)] as const] : [],
    ),
  )
  const names = [...values.keys(), ...typeEnv.map(({ name }) => name)]
  const environment = KUBERNETES.withVariables(Object.fromEntries(names.map((name) => [name, DYN])))
  try {
    return shown(compile(expr, environment).evaluate(new Evaluation((name) => values.get(name))))
  } catch (error) {
    if (isCodedError(error)) return error.code === 'CEL_EVALUATION' ? 'error' : error.code
    throw error
  }
}

/** Where Kubernetes and cel-go differ from the suite, we do as they do. */
const AS_KUBERNETES = [
  // Kubernetes has an earlier version of the function.
  /^string_ext\/format\//,
  'string_ext/value_errors/indexof_out_of_range',
  'string_ext/value_errors/lastindexof_out_of_range',
  'optionals/optionals/map_null_entry_no_such_key',
  'optionals/optionals/map_present_key_invalid_field',
]

/** Constructs that cannot be written here. */
const NOT_READ = [
  /^fields\/quoted_map_fields\//,
  /^parse\/bytes_literals\/.*raw_/,
  'basic/self_eval_nonzeroish/self_eval_bytes_escape',
  'comparisons/eq_literal/eq_bytes',
  'comparisons/ne_literal/ne_bytes',
  'comparisons/ne_literal/not_ne_bytes',
  'comparisons/lt_literal/not_lt_bytes_width',
  'comparisons/gt_literal/not_gt_double',
]

const among = (path: string, names: readonly (string | RegExp)[]): boolean =>
  names.some((name) => (typeof name === 'string' ? name === path : name.test(path)))

test('the conformance suite of the specification', () => {
  const results = [...testsOf(getConformanceSuite())]
    .filter(([path, each]) => isOurs(path, each) && !among(path, AS_KUBERNETES))
    .flatMap(([path, each]) => {
      const expected = expectation(each)
      return expected === undefined ? [] : [{ path, expr: each.expr, expected, found: outcome(each) }]
    })
  const failed = results.filter(({ expected, found }) => expected !== found)
  const refused = failed.filter(({ found }) => found.startsWith('CEL_'))
  assert.deepEqual(
    failed.filter(({ found }) => !found.startsWith('CEL_')),
    [],
  )
  // What is wrong is found before it is evaluated, and mixed lists and maps are refused as Kubernetes refuses them.
  const unread = refused.filter(({ found }) => found !== 'CEL_TYPE')
  assert.deepEqual(
    unread.filter(({ path }) => !among(path, NOT_READ)),
    [],
  )
  assert.ok(
    results.length - refused.length >= 1336,
    `${String(results.length - refused.length)} of ${String(results.length)}`,
  )
})
