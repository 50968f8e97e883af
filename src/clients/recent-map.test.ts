import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecentMap } from './recent-map.js'

test('what was used longest ago is forgotten first', () => {
  const map = new RecentMap<string, number>(2)
  map.set('a', 1)
  map.set('b', 2)
  assert.equal(map.get('a'), 1)
  map.set('c', 3)
  assert.deepEqual([map.get('b'), map.get('a'), map.get('c'), map.size], [undefined, 1, 3, 2])
  map.delete('a')
  map.clear()
  assert.equal(map.size, 0)
})
