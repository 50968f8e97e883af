import assert from 'node:assert/strict'
import { test } from 'node:test'

import { fuzzRuns } from '#testing/fuzz'

test('a property test tries at least one case', () => {
  assert.ok(fuzzRuns() > 0)
})
