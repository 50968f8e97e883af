import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from './metrics.js'

test('counters, gauges and histograms render as Prometheus reads them', () => {
  const metrics = createMetrics()
  const counter = metrics.counter('c_total', 'Counts.')
  counter.increment({ b: '2', a: '1' })
  counter.increment({ a: '1', b: '2' }, 2)
  metrics.gauge('g', 'Two\nlines').set(1.5)
  metrics.observedGauge('o', 'Asked.', () => [
    [{}, 7],
    [{ log: 'a' }, 8],
  ])
  const histogram = metrics.histogram('h_seconds', 'Times.', [0.1, 1])
  for (const value of [0.1, 0.5, 9]) histogram.observe(value, { m: 'x' })
  assert.equal(
    metrics.render(),
    `# HELP c_total Counts.
# TYPE c_total counter
c_total{a="1",b="2"} 3
# HELP g Two\\nlines
# TYPE g gauge
g 1.5
# HELP o Asked.
# TYPE o gauge
o 7
o{log="a"} 8
# HELP h_seconds Times.
# TYPE h_seconds histogram
h_seconds_bucket{m="x",le="0.1"} 1
h_seconds_bucket{m="x",le="1"} 2
h_seconds_bucket{m="x",le="+Inf"} 3
h_seconds_sum{m="x"} 9.6
h_seconds_count{m="x"} 3
`,
  )
})

test('label values cannot break out of their quotes', () => {
  const metrics = createMetrics()
  metrics.counter('c', 'C').increment({ l: 'a"\n\\' })
  assert.match(metrics.render(), /^c\{l="a\\"\\n\\\\"\} 1$/m)
})

test('a counter never goes down and a name exists once', () => {
  const metrics = createMetrics()
  const counter = metrics.counter('c', 'C')
  counter.increment({}, 5)
  counter.increment({}, -3)
  assert.match(metrics.render(), /^c 5$/m)
  assert.throws(() => metrics.gauge('c', 'again'), TypeError)
})
