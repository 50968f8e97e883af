import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CodedError } from '#errors'
import { answering, BODY_PROBLEMS, grpcShape, openapiShape, problemResponse, withDetail } from './problems.js'
import type { ProblemTable } from './problems.js'

type Code = 'X_GONE' | 'X_CLASH'
const TABLE: ProblemTable<Code> = {
  X_GONE: { status: 404, title: 'not here' },
  X_CLASH: { status: 409, title: withDetail, headers: (error) => ({ location: `/e/${error.found ?? ''}` }) },
}

test('a code in the table becomes its row, in the shape asked for', async () => {
  const gone = problemResponse(new CodedError('X_GONE', 'internal words'), TABLE, openapiShape)
  assert.equal(gone?.status, 404)
  assert.deepEqual(await gone.json(), { code: 404, message: 'not here' })
  const clash = problemResponse(
    new CodedError('X_CLASH', 'exists', { found: '7', expected: 'a new one', hint: 'look' }),
    TABLE,
    grpcShape,
  )
  assert.equal(clash?.headers.get('location'), '/e/7')
  assert.deepEqual(await clash.json(), { code: 6, message: 'exists; expected a new one; found 7; look', details: [] })
})

test('errors outside the table are not answered, whatever they are called', () => {
  for (const error of [
    new Error('x'),
    new CodedError('OTHER', 'x'),
    new CodedError('constructor', 'x'),
    new CodedError('__proto__', 'x'),
    'X_GONE',
    undefined,
  ]) {
    assert.equal(problemResponse(error, TABLE, openapiShape), undefined)
  }
})

test('a wrapped handler answers its own errors and throws on the rest', async () => {
  const wrap = answering(TABLE, openapiShape)
  assert.equal((await wrap(() => Promise.reject(new CodedError('X_GONE', '')))()).status, 404)
  await assert.rejects(wrap(() => Promise.reject(new CodedError('X_NEW', '')))(), { code: 'X_NEW' })
})

test('body problems have client statuses', () => {
  for (const { status } of Object.values(BODY_PROBLEMS)) assert.ok(status >= 400 && status < 500)
})
